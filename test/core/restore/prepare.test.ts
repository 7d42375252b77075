import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderJson } from '../../../controller/core/json.ts';
import type { JsonObject } from '../../../controller/core/object.ts';
import { hasKeeper } from '../../../controller/core/restore/finalizers.ts';
import { archived, OTHER_CLUSTER, OTHER_NAMESPACE, sent, skipped } from './prepared.ts';

const owner = (kind: string, apiVersion: string, name: string, more: JsonObject = {}) => ({
  metadata: { ownerReferences: [{ apiVersion, kind, name, controller: true, ...more }] },
});

test('a plain object goes back as it lies in Git, and the archived one is left alone', () => {
  const object = archived('v1', 'ConfigMap', {
    metadata: { generateName: 'web-', annotations: { a: 'b' }, labels: { c: 'd' } },
    data: { key: 'shop' },
    immutable: true,
  });
  const before = renderJson(object);
  const prepared = sent(object, 'configmaps');
  assert.equal(renderJson(prepared.object), before);
  assert.deepEqual([prepared.notes, prepared.fallbacks, prepared.owners, prepared.finalizers], [[], [], [], []]);
  sent(object, 'configmaps', OTHER_NAMESPACE).object['data'] = {};
  assert.equal(renderJson(object), before);
});

test('what the server writes into metadata, and the status, are never sent', () => {
  const object = archived('v1', 'ConfigMap', {
    metadata: {
      uid: 'u',
      resourceVersion: '7',
      managedFields: [],
      deletionTimestamp: 'now',
      creationTimestamp: 'then',
    },
    status: { phase: 'x' },
  });
  const prepared = sent(object, 'configmaps');
  assert.deepEqual(prepared.object, archived('v1', 'ConfigMap'));
  assert.deepEqual(prepared.notes, ['status is left to its controller']);
});

test('in another namespace an object, and the Namespace itself, have the name of that one', () => {
  assert.equal(sent(archived('v1', 'ConfigMap'), 'configmaps', OTHER_NAMESPACE).object.metadata['namespace'], 'drill');
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  assert.deepEqual(sent(namespace, 'namespaces', OTHER_NAMESPACE).object.metadata, { name: 'drill' });
});

test('a cluster-scoped object gets no namespace', () => {
  const clusterRole = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reader' } };
  const prepared = sent(clusterRole, 'clusterroles.rbac.authorization.k8s.io', {
    from: { clusterId: 'c1', namespace: '' },
    to: { clusterId: 'c2', namespace: '' },
  });
  assert.deepEqual(prepared.object, clusterRole);
});

test('what the workload controllers make again is skipped when its owner comes or lives', () => {
  const lives = {
    isPlanned: (group: string, kind: string, name: string) => `${group}/${kind}/${name}` === 'apps/Deployment/web',
  };
  const replicaSet = archived('apps/v1', 'ReplicaSet', owner('Deployment', 'apps/v1', 'web'));
  assert.equal(skipped(replicaSet, 'replicasets.apps', lives), 'made again by its owner deployments.apps/web');
  assert.equal(skipped(replicaSet, 'replicasets.apps'), undefined);
  const paused = archived('v1', 'ReplicationController', owner('DeploymentConfig', 'apps.openshift.io/v1', 'web'));
  assert.equal(
    skipped(paused, 'replicationcontrollers', { isPlanned: () => true }),
    'made again by its owner deploymentconfigs.apps.openshift.io/web',
  );
  const run = archived('batch/v1', 'Job', owner('CronJob', 'batch/v1', 'nightly'));
  assert.equal(skipped(run, 'jobs.batch'), 'a run of cronjobs.batch/nightly, which runs again by its schedule');
});

test('data that has an owner is restored, and linked when the owner lives', () => {
  const secret = archived(
    'v1',
    'Secret',
    owner('Deployment', 'apps/v1', 'web', { blockOwnerDeletion: true, uid: 'old' }),
  );
  const linked = sent(secret, 'secrets', { isPlanned: () => true });
  assert.deepEqual(linked.owners, [
    { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true, blockOwnerDeletion: true },
  ]);
  assert.equal(linked.object.metadata['ownerReferences'], undefined);
  assert.deepEqual(linked.given, ['/metadata/ownerReferences']);
  const alone = sent(secret, 'secrets');
  assert.deepEqual(alone.owners, []);
  assert.deepEqual(alone.notes, ['its owner deployments.apps/web is not there: it will have none']);
});

test('an owner of a kind that nobody knows is named by its group', () => {
  const object = archived('v1', 'ConfigMap', owner('Policy', 'example.com/v1', 'p'));
  assert.deepEqual(sent(object, 'configmaps').notes, [
    'its owner policies.example.com/p is not there: it will have none',
  ]);
});

test('finalizers of Kubernetes go with the object, others wait, and marks of a deletion are gone', () => {
  const finalizers = ['foregroundDeletion', 'kubernetes.io/pvc-protection', 'widgets.example.com/cleanup'];
  const prepared = sent(archived('v1', 'ConfigMap', { metadata: { finalizers } }), 'configmaps');
  assert.deepEqual(prepared.object.metadata['finalizers'], ['kubernetes.io/pvc-protection']);
  assert.deepEqual(prepared.finalizers, ['widgets.example.com/cleanup']);
  assert.deepEqual(prepared.notes, [
    'finalizer widgets.example.com/cleanup is set at the end, if what takes it away is there',
  ]);
});

test('marks of an engine stay where it is, and go where it is not', () => {
  const metadata = {
    labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'olm.owner': 'x', app: 'web' },
    annotations: { 'argocd.argoproj.io/tracking-id': 'a:/ConfigMap:shop/web' },
  };
  const object = archived('v1', 'ConfigMap', { metadata });
  assert.deepEqual(sent(object, 'configmaps').object, object);
  const moved = sent(object, 'configmaps', OTHER_CLUSTER);
  assert.deepEqual(moved.object.metadata, { name: 'web', namespace: 'shop', labels: { app: 'web' } });
  assert.deepEqual(moved.notes, [
    'the marks of Flux are left out: it does not manage the target',
    'the marks of OLM are left out: it does not manage the target',
    'the marks of Argo CD are left out: it does not manage the target',
  ]);
});

test('a Helm release that moves to another namespace takes its objects along', () => {
  const annotations = { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' };
  const moved = sent(archived('v1', 'ConfigMap', { metadata: { annotations } }), 'configmaps', OTHER_NAMESPACE);
  assert.deepEqual(moved.object.metadata['annotations'], { ...annotations, 'meta.helm.sh/release-namespace': 'drill' });
});

const met = (type: string, status = 'True') => ({ status: { conditions: [{ status, type }] } });
for (const [what, kind, resource, status] of [
  ['a Job that was complete', 'Job', 'jobs.batch', met('Complete')],
  ['a Job that had failed', 'Job', 'jobs.batch', met('Failed')],
  ['a pod that had succeeded', 'Pod', 'pods', { status: { phase: 'Succeeded' } }],
  ['a pod that had failed', 'Pod', 'pods', { status: { phase: 'Failed' } }],
] as const) {
  const reason =
    /^the (Job|pod) had finished and would run again; to run it all the same, kubectl apply what \S.*[^.]$/;
  test(`${what} is not run again: its file says so`, () => {
    assert.match(skipped(archived('v1', kind, structuredClone(status)), resource) ?? '', reason);
  });
  test(`${what} is not run again: the commit of an archive by the first rules says so`, () => {
    const recorded = ['/status/conditions/1/type "Complete"', '/status/phase "Succeeded"'];
    assert.match(skipped(archived('v1', kind), resource, { recorded }) ?? '', reason);
  });
  test(`${what} is told from one that had not finished`, () => {
    const recorded = ['/status/conditions/0/type "Suspended"', '/status/phase "Running"'];
    assert.equal(skipped(archived('v1', kind), resource, { recorded }), undefined);
    assert.equal(skipped(archived('v1', kind, met('Complete', 'False')), resource), undefined);
  });
}

for (const [object, resource] of [
  [archived('v1', 'Node'), 'nodes'],
  [archived('v1', 'Event'), 'events'],
  [archived('coordination.k8s.io/v1', 'Lease'), 'leases.coordination.k8s.io'],
  [archived('v1', 'ConfigMap', { metadata: { name: 'kube-root-ca.crt' } }), 'configmaps'],
  [archived('v1', 'Service', { metadata: { name: 'kubernetes', namespace: 'default' } }), 'services'],
  [archived('v1', 'Secret', { type: 'bootstrap.kubernetes.io/token' }), 'secrets'],
  [archived('v1', 'Pod', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }), 'pods'],
  [
    archived('apiregistration.k8s.io/v1', 'APIService', { spec: { group: 'apps' } }),
    'apiservices.apiregistration.k8s.io',
  ],
  [archived('kubekeeper.dev/v1alpha1', 'Restore'), 'restores.kubekeeper.dev'],
  [archived('snapshot.storage.k8s.io/v1', 'VolumeSnapshot'), 'volumesnapshots.snapshot.storage.k8s.io'],
] as const) {
  test(`${resource}/${object.metadata.name} is the cluster's own and is skipped with a reason`, () => {
    assert.match(skipped(object, resource) ?? '', /^\S.*[^.]$/);
  });
}

for (const [finalizer, expected] of [
  ['widgets.example.com/cleanup', true],
  ['example.com/cleanup', true],
  ['finalizer.example.com', true],
  ['finalizers.fluxcd.io', true],
  ['resources-finalizer.argocd.argoproj.io', true],
  ['gone.example/cleanup', false],
  ['example.com.evil.test/x', false],
  ['other.x-k8s.io/cleanup', false],
  ['storage.k8s.io/cleanup', true],
  ['csi.k8s.io/cleanup', false],
  ['cleanup', false],
  ['', false],
] as const) {
  test(`finalizer "${finalizer}" has ${expected ? 'somebody' : 'nobody'} to take it away`, () => {
    const groups = ['', 'apps', 'example.com', 'kustomize.toolkit.fluxcd.io', 'argoproj.io', 'storage.k8s.io'];
    assert.equal(hasKeeper(finalizer, groups), expected);
  });
}
