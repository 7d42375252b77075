/** A namespace with one of nearly everything that people have, for tests that take it away and bring it back. */

const NAMESPACE = 'shop';
const metadata = (name: string, more: object = {}) => ({ name, namespace: NAMESPACE, ...more });
const labels = { app: 'web' };
const template = {
  metadata: { labels },
  spec: { containers: [{ name: 'web', image: 'shop/web:1.4', command: ['sh', '-c', 'echo "yes: no"\nsleep 1\n'] }] },
};

export const SECRET_VALUE = 'canary-export-5b2e';

export const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.shop.example' },
  spec: {
    group: 'shop.example',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

export const NAMESPACE_OBJECT = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: NAMESPACE, labels: { team: 'front' }, annotations: { note: 'two\nlines' } },
};

const odd = {
  yes: 'on',
  number: '012',
  time: '12:30:45',
  empty: '',
  blank: ' leading',
  block: 'server {\n\tlisten 80;\n\n  root "/";\n}\n',
  windows: 'a\r\nb\r\n',
  unicode: 'grüße 😀 \u2028 \u0085',
  colon: 'key: value # no comment',
  json: '{"a": [1, 2]}',
  tail: 'ends in blanks  \nand newlines\n\n\n',
};

export const OBJECTS: readonly object[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata('runner') },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata('db'),
    type: 'Opaque',
    stringData: { password: SECRET_VALUE },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('odd'), data: odd, binaryData: { bytes: 'AAEC/w==' } },
  {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: metadata('quota'),
    spec: { hard: { 'count/configmaps': '20' } },
  },
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: metadata('limits'),
    spec: { limits: [{ type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '0.1' } }] },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata('data'),
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'none' },
  },
  { apiVersion: 'v1', kind: 'Service', metadata: metadata('web'), spec: { selector: labels, ports: [{ port: 80 }] } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('headless'),
    spec: { clusterIP: 'None', selector: labels, ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('outside'),
    spec: {
      type: 'NodePort',
      selector: labels,
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81, nodePort: 30123 },
      ],
    },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: metadata('reader'),
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata('reader'),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'runner', namespace: NAMESPACE }],
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata('deny'),
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata('web'),
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('web'),
    spec: { selector: { matchLabels: labels }, template },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata('store'),
    spec: { serviceName: 'headless', replicas: 0, selector: { matchLabels: labels }, template },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadata('agent'),
    spec: { selector: { matchLabels: labels }, template },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadata('nightly'),
    spec: {
      schedule: '0 3 * * *',
      suspend: true,
      jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata('store'),
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'store' },
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata('web'),
    spec: { minAvailable: '50%', selector: { matchLabels: labels } },
  },
  {
    apiVersion: 'shop.example/v1',
    kind: 'Widget',
    metadata: metadata('blue'),
    spec: { big: 9_007_199_254_740_991, ratio: 0.5 },
  },
];
