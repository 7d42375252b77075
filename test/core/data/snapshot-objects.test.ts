import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClaimRecord } from '../../../controller/core/data/record.ts';
import {
  askedAfter,
  lookContent,
  removalContent,
  removalGroupContent,
  requestedBy,
  snapshotRequest,
} from '../../../controller/core/data/snapshot-objects.ts';
import { object } from '../builders.ts';

const CONTENTS = { group: 'snapshot.storage.k8s.io', version: 'v1', kind: 'VolumeSnapshotContent' };
const SNAPSHOTS = { ...CONTENTS, kind: 'VolumeSnapshot' };
const GROUPS = { group: 'groupsnapshot.storage.k8s.io', version: 'v1beta2', kind: 'VolumeGroupSnapshotContent' };
const record: ClaimRecord = {
  ...{
    uid: 'u1',
    volumeSnapshot: 'kubekeeper-data-x7k2p9qd',
    driver: 'csi.example.com',
    class: 'fast',
    state: 'pending',
  },
  askedAt: '2026-11-21T12:00:00.120Z',
};
const place = { name: 'kubekeeper-remove-1', namespace: 'shop', labels: { a: 'b' }, record };

test('what was asked for can be read from the object that asked', () => {
  const request = {
    namespace: 'shop',
    name: record.volumeSnapshot,
    className: 'fast',
    labels: {},
    after: 'a'.repeat(40),
  };
  const asked = snapshotRequest(SNAPSHOTS, { ...request, records: { data: record } }, 'data');
  assert.equal(requestedBy(asked)['data']?.uid, 'u1');
  assert.equal(askedAfter(asked), 'a'.repeat(40));
  assert.equal(askedAfter(snapshotRequest(SNAPSHOTS, { ...request, after: '', records: {} }, 'data')), '');
});

test('what somebody wrote over is not believed', () => {
  const annotations = {
    'kubekeeper.dev/request': '{"version":1,"claims":{"../x":{}}}',
    'kubekeeper.dev/after': 'HEAD',
  };
  const odd = object('snapshot.storage.k8s.io/v1', 'VolumeSnapshot', { metadata: { name: 'x', annotations } });
  assert.deepEqual(requestedBy(odd), {});
  assert.equal(askedAfter(odd), undefined);
});

test('a content to delete through is held until the driver has looked, and names no secret that is not plain', () => {
  const parameters = {
    'csi.storage.k8s.io/snapshotter-secret-name': 'array',
    'csi.storage.k8s.io/snapshotter-secret-namespace': 'storage',
  };
  const snapshotClass = { apiVersion: 'v1', kind: 'VolumeSnapshotClass', metadata: { name: 'fast' }, parameters };
  const content = removalContent(CONTENTS, { ...place, snapshotClass }, 'snap-1');
  assert.deepEqual(content['spec'], {
    deletionPolicy: 'Delete',
    driver: 'csi.example.com',
    source: { snapshotHandle: 'snap-1' },
    volumeSnapshotRef: { kind: 'VolumeSnapshot', namespace: 'shop', name: 'kubekeeper-remove-1' },
  });
  assert.equal((content.metadata['finalizers'] as string[]).length, 1);
  assert.deepEqual(content.metadata['annotations'], {
    'snapshot.storage.kubernetes.io/deletion-secret-name': 'array',
    'snapshot.storage.kubernetes.io/deletion-secret-namespace': 'storage',
  });
  const template = {
    ...parameters,
    'csi.storage.k8s.io/snapshotter-secret-name': '$' + '{volumesnapshotcontent.name}',
  };
  const unknown = removalContent(
    CONTENTS,
    { ...place, snapshotClass: { ...snapshotClass, parameters: template } },
    's',
  );
  assert.deepEqual(unknown.metadata['annotations'], {});
});

test('a content to look through deletes nothing when it goes', () => {
  const content = lookContent(CONTENTS, place, 'snap-1');
  assert.equal((content['spec'] as { deletionPolicy: string }).deletionPolicy, 'Retain');
  assert.equal(content.metadata['finalizers'], undefined);
});

test('a group is deleted with all of its members', () => {
  const content = removalGroupContent(GROUPS, { ...place, snapshotClass: undefined }, 'group-1', ['snap-1', 'snap-2']);
  assert.equal(content.apiVersion, 'groupsnapshot.storage.k8s.io/v1beta2');
  assert.deepEqual((content['spec'] as { source: unknown }).source, {
    groupSnapshotHandles: { volumeGroupSnapshotHandle: 'group-1', volumeSnapshotHandles: ['snap-1', 'snap-2'] },
  });
});
