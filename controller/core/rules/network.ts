import { kebab } from './build-rules.ts';
import type { Rule } from './rule.ts';

const services = ['services'];
const webhooks = [
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
];

/** Services and what is made for them. */
export const networkRules: readonly Rule[] = [
  {
    id: 'default-kubernetes-service',
    resources: ['services', 'endpoints', 'endpointslices.discovery.k8s.io'],
    pointer: '',
    verdict: 'never',
    reason: 'The API server makes it for itself',
    when: { namespace: ['default'], name: ['kubernetes'] },
  },
  {
    id: 'service-headless',
    resources: services,
    pointer: '/spec/clusterIP',
    verdict: 'keep',
    reason: 'None makes the Service headless',
    when: { value: ['None'] },
  },
  {
    id: 'service-headless-ips',
    resources: services,
    pointer: '/spec/clusterIPs',
    verdict: 'keep',
    reason: 'None makes the Service headless',
    when: { parts: { '/0': ['None'] } },
  },
  {
    id: 'service-cluster-ip',
    resources: services,
    pointer: '/spec/clusterIP',
    verdict: 'restore-only',
    reason: 'The cluster gives out another address',
    when: { not: { value: ['None'] } },
  },
  {
    id: 'service-cluster-ips',
    resources: services,
    pointer: '/spec/clusterIPs',
    verdict: 'restore-only',
    reason: 'The cluster gives out other addresses',
    when: { not: { parts: { '/0': ['None'] } } },
  },
  {
    id: 'service-node-port-requested',
    resources: services,
    pointer: '/spec/ports/*/nodePort',
    verdict: 'keep',
    reason: 'Somebody asked for this port; the commit notes that',
    when: { fact: 'requested' },
  },
  {
    id: 'service-node-port',
    resources: services,
    pointer: '/spec/ports/*/nodePort',
    verdict: 'restore-only',
    reason: 'The cluster chose the port',
    when: { not: { fact: 'requested' } },
  },
  {
    id: 'service-health-check-port-requested',
    resources: services,
    pointer: '/spec/healthCheckNodePort',
    verdict: 'keep',
    reason: 'Somebody asked for this port; the commit notes that',
    when: { fact: 'requested' },
  },
  {
    id: 'service-health-check-port',
    resources: services,
    pointer: '/spec/healthCheckNodePort',
    verdict: 'restore-only',
    reason: 'The cluster chose the port',
    when: { not: { fact: 'requested' } },
  },
  {
    id: 'service-external-ips',
    resources: services,
    pointer: '/spec/externalIPs',
    verdict: 'restore-only',
    reason: 'On a load balancer they are what a cloud or OpenShift gave out',
    when: { fields: { '/spec/type': ['LoadBalancer'] } },
  },
  ...['ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy', 'loadBalancerIP', 'loadBalancerClass'].map(
    (field): Rule => ({
      id: `service-${kebab(field)}`,
      resources: services,
      pointer: `/spec/${field}`,
      verdict: 'keep',
      reason: 'Decides how the Service is reached',
    }),
  ),
  {
    id: 'endpoints-of-selector',
    resources: ['endpoints'],
    pointer: '',
    verdict: 'never',
    reason: 'Made from the selector of its Service',
    when: {
      any: [
        { labels: ['endpoints.kubernetes.io/managed-by=endpoint-controller'] },
        { annotations: ['endpoints.kubernetes.io/last-change-trigger-time', 'endpoints.kubernetes.io/over-capacity'] },
      ],
    },
  },
  {
    id: 'endpoints-of-controller',
    resources: ['endpoints'],
    pointer: '/subsets',
    verdict: 'never',
    reason: 'Made from the selector of its Service',
    when: { writer: ['kube-controller-manager', 'endpoint-controller', 'endpoints-controller'] },
  },
  {
    id: 'endpoints-order',
    resources: ['endpoints'],
    pointer: '/subsets',
    verdict: 'keep',
    reason: 'Addresses of a Service without selector, sorted because it is a set',
    sorted: true,
  },
  {
    id: 'endpoint-addresses-order',
    resources: ['endpoints'],
    pointer: '/subsets/*/addresses',
    verdict: 'keep',
    reason: 'Addresses of a Service without selector, sorted because it is a set',
    sorted: true,
  },
  {
    id: 'endpoint-slices-of-controller',
    resources: ['endpointslices.discovery.k8s.io'],
    pointer: '',
    verdict: 'never',
    reason: 'Made from the selector, or from the Endpoints, of its Service',
    when: { labels: ['endpointslice.kubernetes.io/managed-by=endpointslice*-controller.k8s.io'] },
    since: '1.17',
  },
  {
    id: 'aks-webhook-selector',
    resources: webhooks,
    pointer: '/webhooks/*/namespaceSelector/matchExpressions/*',
    verdict: 'hold',
    reason: 'The admission enforcer of AKS adds it',
    when: {
      any: [
        { parts: { '/key': ['kubernetes.azure.com/managedby'] } },
        { parts: { '/key': ['control-plane'], '/operator': ['NotIn'], '/values/0': ['true'] } },
      ],
    },
  },
];
