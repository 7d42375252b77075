import { type Fixture, inCluster, inNamespace, NAMESPACE } from './fixture.ts';

const apiVersion = 'networking.k8s.io/v1';

/** Who is reached from where, and from which addresses. */
export const networkingFixtures: readonly Fixture[] = [
  inNamespace('networkpolicies.networking.k8s.io', {
    apiVersion,
    kind: 'NetworkPolicy',
    metadata: { name: 'all-out-nothing-in' },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [{}] },
  }),
  inNamespace('networkpolicies.networking.k8s.io', {
    apiVersion,
    kind: 'NetworkPolicy',
    metadata: { name: 'from-the-shop' },
    spec: {
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            { namespaceSelector: {}, podSelector: { matchLabels: { app: 'proxy' } } },
            { ipBlock: { cidr: '198.51.100.0/24', except: ['198.51.100.128/25'] } },
          ],
          ports: [{ port: 'http' }, { protocol: 'UDP', port: 32_000, endPort: 32_768 }],
        },
      ],
    },
  }),
  inCluster('ingressclasses.networking.k8s.io', {
    apiVersion,
    kind: 'IngressClass',
    metadata: { name: 'fixture-edge' },
    spec: {
      controller: 'example.com/edge',
      parameters: {
        apiGroup: 'example.com',
        kind: 'EdgeSettings',
        name: 'public',
        scope: 'Namespace',
        namespace: NAMESPACE,
      },
    },
  }),
  inNamespace('ingresses.networking.k8s.io', {
    apiVersion,
    kind: 'Ingress',
    metadata: { name: 'web', annotations: { 'edge.example.com/rewrite': '/$1' } },
    spec: {
      ingressClassName: 'fixture-edge',
      defaultBackend: { service: { name: 'cluster-ip', port: { name: 'http' } } },
      tls: [{ hosts: ['shop.example.com', '*.example.com'], secretName: 'shop-tls' }],
      rules: [
        {
          host: '*.example.com',
          http: {
            paths: [
              {
                path: '/v1',
                pathType: 'Prefix',
                backend: { service: { name: 'cluster-ip', port: { number: 80 } } },
              },
              {
                path: '/files(/|$)(.*)',
                pathType: 'ImplementationSpecific',
                backend: { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'files' } },
              },
            ],
          },
        },
        { host: 'bare.example.com' },
      ],
    },
  }),
  inCluster('ipaddresses.networking.k8s.io', {
    apiVersion,
    kind: 'IPAddress',
    metadata: { name: '192.168.240.9' },
    spec: { parentRef: { resource: 'services', namespace: NAMESPACE, name: 'cluster-ip' } },
  }),
];

/** Gives out the addresses of Services from then on, so it comes when they exist. */
export const serviceRangeFixtures: readonly Fixture[] = [
  inCluster('servicecidrs.networking.k8s.io', {
    apiVersion,
    kind: 'ServiceCIDR',
    metadata: { name: 'fixture-range' },
    spec: { cidrs: ['192.168.241.0/28'] },
  }),
];
