import type { Cluster } from '../cluster/start-cluster.ts';
import { definition } from '../controller-cluster/definition.ts';
import { live, object, pod } from './restoring.ts';

/** A namespace of a small shop, with an object of most sorts. Tests add those that they look at more closely. */

export const RBAC = 'rbac.authorization.k8s.io';

/** What its custom objects are: Widgets of a group that no other test has. */
export const widgets = (group: string) => definition(`widgets.${group}`);

/** `canary` is the Secret's password. */
export function shopObjects(name: string, group: string, canary: string): readonly object[] {
  const service = (own: string, spec: object) =>
    object('v1', 'Service', name, own, { spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec } });
  return [
    object('v1', 'ServiceAccount', name, 'web'),
    object(`${RBAC}/v1`, 'Role', name, 'reader', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    object('v1', 'Secret', name, 'db', { stringData: { password: canary } }),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: 'web-token', namespace: name, annotations: { 'kubernetes.io/service-account.name': 'web' } },
    },
    object('v1', 'PersistentVolumeClaim', name, 'files', claim),
    object('batch/v1', 'CronJob', name, 'nightly', {
      spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: { template: onceOnly } } },
    }),
    service('store', { clusterIP: 'None' }),
    service('automatic', { type: 'NodePort' }),
    service('balanced', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }),
    object('networking.k8s.io/v1', 'NetworkPolicy', name, 'closed', {
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    }),
    object('policy/v1', 'PodDisruptionBudget', name, 'web', {
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    }),
    object(`${group}/v1`, 'Widget', name, 'owner', { spec: { size: 1 } }),
  ];
}

/** Of a class that nobody provisions. */
export const claim = {
  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'slow', resources: { requests: { storage: '1Gi' } } },
};

export const onceOnly = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'web:1' }] } };

export function statefulSet(name: string, spec: object = {}) {
  const selector = { matchLabels: { app: 'store' } };
  return object('apps/v1', 'StatefulSet', name, 'store', {
    spec: { replicas: 1, serviceName: 'store', selector, template: pod('store'), ...spec },
  });
}

/** Applies the ConfigMap 'owned' that the Widget owns, with `rest` in its metadata; resolves with its reference. */
export async function applyOwned(cluster: Cluster, name: string, group: string, rest: object = {}) {
  const owner = await live(cluster, `/apis/${group}/v1/namespaces/${name}/widgets/owner`);
  const reference = { apiVersion: `${group}/v1`, kind: 'Widget', name: 'owner', uid: owner?.metadata['uid'] };
  const owned = { ...reference, controller: true, blockOwnerDeletion: true };
  const made = object('v1', 'ConfigMap', name, 'owned', { data: { of: 'owner' } });
  await cluster.apply({ ...made, metadata: { ...made.metadata, ownerReferences: [owned], ...rest } });
  return owned;
}
