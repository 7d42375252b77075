import { authority } from './certificates.ts';
import { type Fixture, inCluster, NAMESPACE } from './fixture.ts';

const group = 'admissionregistration.k8s.io';
const apiVersion = `${group}/v1`;
/** A group that nothing serves, so that these ask nobody about anything. */
const orders = {
  apiGroups: ['nowhere.example.com'],
  apiVersions: ['v1', 'v1beta1'],
  resources: ['orders', 'orders/*'],
};
const selected = {
  namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['archive'] }] },
  objectSelector: { matchLabels: { checked: 'yes' } },
};

/** Webhooks and policies: what may enter the cluster, and how it is changed on the way. */
export const admissionFixtures: readonly Fixture[] = [
  inCluster(`validatingwebhookconfigurations.${group}`, {
    apiVersion,
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'fixture-validating' },
    webhooks: [
      {
        name: 'orders.example.com',
        clientConfig: {
          service: { namespace: NAMESPACE, name: 'cluster-ip', path: '/validate', port: 8443 },
          caBundle: authority,
        },
        rules: [{ ...orders, operations: ['CREATE', 'UPDATE', 'DELETE'], scope: 'Namespaced' }],
        ...selected,
        failurePolicy: 'Ignore',
        matchPolicy: 'Exact',
        sideEffects: 'NoneOnDryRun',
        timeoutSeconds: 3,
        admissionReviewVersions: ['v1', 'v1beta1'],
        matchConditions: [{ name: 'people-only', expression: '!request.userInfo.username.startsWith("system:")' }],
      },
      {
        name: 'by-url.example.com',
        clientConfig: { url: 'https://checks.example.com/orders' },
        rules: [{ ...orders, operations: ['*'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  }),
  inCluster(`mutatingwebhookconfigurations.${group}`, {
    apiVersion,
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'fixture-mutating' },
    webhooks: [
      {
        name: 'defaults.example.com',
        clientConfig: { service: { namespace: NAMESPACE, name: 'cluster-ip' }, caBundle: authority },
        rules: [{ ...orders, operations: ['CREATE'], scope: '*' }],
        ...selected,
        reinvocationPolicy: 'IfNeeded',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  }),
  inCluster(`validatingadmissionpolicies.${group}`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'fixture-orders' },
    spec: {
      failurePolicy: 'Ignore',
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: {
        resourceRules: [{ ...orders, operations: ['CREATE'], scope: '*' }],
        excludeResourceRules: [{ ...orders, operations: ['CREATE'], resourceNames: ['free'] }],
        ...selected,
      },
      matchConditions: [{ name: 'not-dry', expression: '!request.dryRun' }],
      variables: [{ name: 'limit', expression: 'int(params.data["limit"])' }],
      validations: [
        {
          expression: 'object.spec.total <= variables.limit',
          messageExpression: '"at most " + string(variables.limit)',
          message: 'too much',
          reason: 'Forbidden',
        },
      ],
      auditAnnotations: [{ key: 'total', valueExpression: 'string(object.spec.total)' }],
    },
  }),
  inCluster(`validatingadmissionpolicybindings.${group}`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'fixture-orders' },
    spec: {
      policyName: 'fixture-orders',
      paramRef: { name: 'awkward-keys', namespace: NAMESPACE, parameterNotFoundAction: 'Allow' },
      validationActions: ['Warn', 'Audit'],
      matchResources: { ...selected, matchPolicy: 'Exact' },
    },
  }),
  inCluster(`mutatingadmissionpolicies.${group}`, {
    apiVersion,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'fixture-labels' },
    spec: {
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'IfNeeded',
      matchConstraints: { resourceRules: [{ ...orders, operations: ['CREATE'] }] },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"seen": "yes"}}}' },
        },
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: '[JSONPatch{op: "add", path: "/metadata/labels/also", value: "yes"}]' },
        },
      ],
    },
  }),
  inCluster(`mutatingadmissionpolicybindings.${group}`, {
    apiVersion,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'fixture-labels' },
    spec: { policyName: 'fixture-labels', matchResources: selected },
  }),
];
