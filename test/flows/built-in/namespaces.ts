import { type Fixture, inCluster, inNamespace, LIMITED_NAMESPACE, NAMESPACE } from './fixture.ts';

/** Where the others live, and what limits a namespace. */
export const namespaceFixtures: readonly Fixture[] = [
  inCluster('namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: NAMESPACE,
      labels: { team: 'archive', 'pod-security.kubernetes.io/warn': 'privileged' },
      annotations: { 'example.com/owner': 'Ünal & Söhne <ops@example.com>', 'example.com/empty': '' },
    },
  }),
  inCluster('namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: LIMITED_NAMESPACE, labels: { team: 'limits' } },
  }),
  inNamespace(
    'limitranges',
    {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'limits' },
      spec: {
        limits: [
          {
            type: 'Container',
            default: { cpu: '500m', memory: '256Mi' },
            defaultRequest: { cpu: '100m', memory: '64Mi' },
            max: { cpu: '2', memory: '1Gi' },
            min: { cpu: '10m', memory: '8Mi' },
            maxLimitRequestRatio: { cpu: '20' },
          },
          { type: 'Pod', max: { cpu: '4' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '1Ti' } },
        ],
      },
    },
    LIMITED_NAMESPACE,
  ),
  inNamespace(
    'resourcequotas',
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'everything' },
      spec: {
        hard: {
          'requests.cpu': '10',
          'limits.memory': '20Gi',
          pods: '50',
          'services.loadbalancers': '0',
          'count/deployments.apps': '12',
          'fast.storageclass.storage.k8s.io/requests.storage': '500Gi',
        },
      },
    },
    LIMITED_NAMESPACE,
  ),
  inNamespace(
    'resourcequotas',
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'scoped' },
      spec: {
        hard: { pods: '3' },
        scopeSelector: {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['fixture-urgent'] }],
        },
      },
    },
    LIMITED_NAMESPACE,
  ),
  inNamespace(
    'resourcequotas',
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'best-effort' },
      spec: { hard: { pods: '5' }, scopes: ['BestEffort', 'NotTerminating'] },
    },
    LIMITED_NAMESPACE,
  ),
];
