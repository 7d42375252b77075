import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { archived, OTHER_CLUSTER, OTHER_NAMESPACE, sent, skipped } from './prepared.ts';

const claim = (spec: JsonObject, annotations?: JsonObject): KubeObject =>
  archived('v1', 'PersistentVolumeClaim', { metadata: annotations === undefined ? {} : { annotations }, spec });
const claims = 'persistentvolumeclaims';
const volumes = 'persistentvolumes';
const provisioned = {
  'volume.kubernetes.io/storage-provisioner': 'csi.example',
  'volume.kubernetes.io/selected-node': 'node-7',
  'volume.beta.kubernetes.io/storage-provisioner': 'csi.example',
};

test('a claim is bound to its volume again where that lives or comes', () => {
  const object = claim({ volumeName: 'pvc-1', volumeMode: 'Block' }, provisioned);
  const lives = {
    isPlanned: (group: string, kind: string, name: string) => `${group}/${kind}/${name}` === '/PersistentVolume/pvc-1',
  };
  const prepared = sent(object, claims, lives);
  assert.deepEqual(prepared.object, object);
  assert.deepEqual(prepared.notes, ['is bound to volume pvc-1 again, when that is free']);
});

test('a claim without its volume asks for another one, and for none on a node that is gone', () => {
  const object = claim(
    { volumeName: 'pvc-1', volumeMode: 'Block', storageClassName: 'fast' },
    { ...provisioned, own: 'x' },
  );
  for (const target of [{}, { ...OTHER_NAMESPACE, isPlanned: () => true }, OTHER_CLUSTER]) {
    const prepared = sent(object, claims, target);
    assert.deepEqual(prepared.object['spec'], { volumeMode: 'Block', storageClassName: 'fast' });
    assert.deepEqual(prepared.object.metadata['annotations'], { own: 'x' });
    assert.deepEqual(prepared.notes, ['gets another volume: pvc-1 is not there']);
    assert.ok(prepared.given.includes('/spec/volumeName'));
    assert.ok(prepared.given.includes('/metadata/annotations/volume.kubernetes.io~1selected-node'));
  }
});

test('a claim is filled from its source only when the source is there: it would wait for ever', () => {
  const source = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'monday' };
  const object = claim({ dataSource: source, dataSourceRef: source });
  const lost = sent(object, claims);
  assert.deepEqual(lost.object['spec'], {});
  assert.deepEqual(lost.notes, ['is not filled from VolumeSnapshot monday, which is not there']);
  const lives = { isPlanned: (group: string) => group === 'snapshot.storage.k8s.io' };
  assert.deepEqual(sent(object, claims, lives).object, object);
});

test('storage classes are mapped in claims, volumes and the templates of a StatefulSet', () => {
  const mappings = { storageClasses: new Map([['fast', 'standard']]) };
  const mapped = sent(
    claim({ storageClassName: 'fast' }, { 'volume.beta.kubernetes.io/storage-class': 'fast' }),
    claims,
    { mappings },
  );
  assert.deepEqual(mapped.object['spec'], { storageClassName: 'standard' });
  assert.deepEqual(mapped.object.metadata['annotations'], { 'volume.beta.kubernetes.io/storage-class': 'standard' });
  assert.deepEqual(mapped.notes, ['StorageClass standard instead of fast']);
  const set = archived('apps/v1', 'StatefulSet', {
    spec: { volumeClaimTemplates: [{ spec: { storageClassName: 'fast' } }, { spec: { storageClassName: 'slow' } }] },
  });
  assert.deepEqual(sent(set, 'statefulsets.apps', { mappings }).object['spec'], {
    volumeClaimTemplates: [{ spec: { storageClassName: 'standard' } }, { spec: { storageClassName: 'slow' } }],
  });
  const volume = archived('v1', 'PersistentVolume', { spec: { storageClassName: 'fast' } });
  assert.deepEqual(sent(volume, volumes, { mappings }).object['spec'], { storageClassName: 'standard' });
});

const volume = (policy: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pvc-1', annotations: { 'pv.kubernetes.io/provisioned-by': 'csi.example' } },
  spec: {
    persistentVolumeReclaimPolicy: policy,
    claimRef: { name: 'data', namespace: 'shop', uid: 'old', resourceVersion: '7' },
    csi: { driver: 'csi.example', volumeHandle: 'v-1' },
  },
});

test('a volume comes back for the claim of that name, whatever its uid, in the namespace that it is in now', () => {
  const prepared = sent(volume('Retain'), volumes, OTHER_NAMESPACE);
  assert.deepEqual(prepared.object['spec'], {
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { name: 'data', namespace: 'drill' },
    csi: { driver: 'csi.example', volumeHandle: 'v-1' },
  });
  assert.match(prepared.notes[0] ?? '', /the data must still be/);
});

test('a volume that was made for a claim of another cluster, and was to go with it, is not made up here', () => {
  assert.match(skipped(volume('Delete'), volumes, OTHER_CLUSTER) ?? '', /gets a volume of its own/);
  assert.equal(skipped(volume('Retain'), volumes, OTHER_CLUSTER), undefined);
  assert.equal(skipped(volume('Delete'), volumes), undefined);
});

test('a claim that is filled gets any volume, made from its snapshot, and keeps its mode', () => {
  const object = claim(
    {
      ...{
        volumeName: 'pvc-1',
        volumeMode: 'Block',
        storageClassName: 'fast',
        selector: { matchLabels: { disk: 'one' } },
      },
      ...{ dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'old' }, resources: { requests: { storage: '1Gi' } } },
    },
    provisioned,
  );
  const filling = { snapshot: 'kubekeeper-restore-1', bytes: 2 ** 30 };
  const prepared = sent(object, claims, { filling, isPlanned: () => true });
  assert.deepEqual(prepared.object['spec'], {
    volumeMode: 'Block',
    storageClassName: 'fast',
    resources: { requests: { storage: '1Gi' } },
    dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'kubekeeper-restore-1' },
  });
  assert.equal(prepared.object.metadata['annotations'], undefined);
});

test('a claim asks for no less than its snapshot needs, and one that lives may have that already', () => {
  const object = claim({ resources: { requests: { storage: '1G' } } });
  const filling = { snapshot: 'kubekeeper-restore-1', bytes: 2 ** 30 };
  const prepared = sent(object, claims, { filling });
  assert.deepEqual((prepared.object['spec'] as JsonObject)['resources'], { requests: { storage: '1Gi' } });
  assert.deepEqual(prepared.notes, ['asks for 1Gi instead of 1000000000: its snapshot needs that']);
  const living = sent(object, claims, { filling: { snapshot: undefined, bytes: 2 ** 30 } });
  assert.ok(living.given.includes('/spec/resources/requests/storage'));
  assert.equal((living.object['spec'] as JsonObject)['dataSource'], undefined);
});
