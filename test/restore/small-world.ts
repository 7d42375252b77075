import type { KubeObject } from '../../controller/core/object.ts';
import type { Wanted } from './hand-plan.ts';

/** A namespace with an object for each wave of a restore, and a definition with its objects. */
export function smallWorld(name: string): readonly Wanted[] {
  const group = `${name}.restore.test`;
  const made = (apiVersion: string, kind: string, own: string, rest: object): Wanted => ({
    object: { apiVersion, kind, metadata: { name: own, namespace: name }, ...rest } as KubeObject,
  });
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const rbac = 'rbac.authorization.k8s.io';
  return [
    {
      object: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `gadgets.${group}` },
        spec: { group, scope: 'Namespaced', names, versions },
      },
    },
    { object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { team: 'blue' } } } },
    made('v1', 'ResourceQuota', 'limit', { spec: { hard: { 'count/configmaps': '100' } } }),
    made(`${rbac}/v1`, 'RoleBinding', 'readers', {
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: name }],
    }),
    made(`${rbac}/v1`, 'Role', 'reader', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    { object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name, labels } } },
    made('v1', 'ServiceAccount', 'web', {}),
    ...Array.from({ length: 12 }, (_, index) =>
      made('v1', 'ConfigMap', `app-${index}`, { data: { index: `${index}` } }),
    ),
    made('v1', 'Secret', 'keys', { type: 'Opaque', data: { key: 'c2VjcmV0' } }),
    made('v1', 'Service', 'web', {
      spec: {
        type: 'ClusterIP',
        selector: labels,
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        sessionAffinity: 'None',
      },
    }),
    ...[1, 2, 3].map((index) => made(`${group}/v1`, 'Gadget', `gadget-${index}`, { spec: { size: index } })),
    {
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'owned', namespace: name },
        data: { of: 'gadget-1' },
      },
      owners: [{ apiVersion: `${group}/v1`, kind: 'Gadget', name: 'gadget-1', controller: true }],
      finalizers: ['restore.test/kept'],
    },
    made('apps/v1', 'Deployment', 'web', { spec: { replicas: 0, selector: { matchLabels: labels }, template } }),
    made('policy/v1', 'PodDisruptionBudget', 'web', { spec: { minAvailable: 1, selector: { matchLabels: labels } } }),
    made('batch/v1', 'CronJob', 'nightly', {
      spec: {
        schedule: '0 3 * * *',
        suspend: true,
        jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
      },
    }),
  ];
}
