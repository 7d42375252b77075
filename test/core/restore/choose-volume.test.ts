import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../controller/core/object.ts';
import { chooseVolume, type VolumeFacts } from '../../../controller/core/restore/choose-volume.ts';
import { fillingName } from '../../../controller/core/restore/fill-objects.ts';
import { EVERYTHING } from '../../../controller/core/restore/plan.ts';
import type { PointData } from '../../../controller/core/restore/volume-plan.ts';

const RECORD = {
  uid: 'uid-1',
  volumeSnapshot: 'kubekeeper-data-x7k2p',
  driver: 'csi.example.com',
  class: 'fast',
  state: 'ready' as const,
  askedAt: '2026-11-21T12:00:00Z',
  handle: 'snap-1',
  restoreSize: 2 ** 30,
};

function dataWith(record: object = {}): PointData {
  const claim = {
    snapshot: RECORD.volumeSnapshot,
    record: { ...RECORD, ...record },
    cutAt: RECORD.askedAt,
    ageMs: 14 * 60_000,
  };
  return {
    hasNotes: true,
    asked: 'c0ffee',
    grade: 'crash-consistent: 1 claim',
    claims: new Map([['data', claim]]),
    skipped: new Map([
      ['cache', { kind: 'excluded' as const, why: 'excluded by annotation kubekeeper.dev/snapshot' }],
      ['old', { kind: 'impossible' as const, why: 'no VolumeSnapshotClass for driver nfs' }],
    ]),
  };
}

const FACTS: VolumeFacts = {
  selection: EVERYTHING,
  namespace: 'shop',
  data: dataWith(),
  obstacle: undefined,
  provisioners: new Map([
    ['fast', 'csi.example.com'],
    ['slow', 'nfs.example.com'],
  ]),
  classOf: () => 'fast',
  reboundTo: () => undefined,
  keepsVolumes: true,
  usersOf: () => ({ workloads: ['deployments.apps/web'] }),
};

const claim = (name: string, rest: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  ...rest,
});
const bound = claim('data', { status: { phase: 'Bound' } });

const chosen = (facts: Partial<VolumeFacts>, name = 'data', live?: KubeObject) => {
  const found = chooseVolume({ ...FACTS, ...facts }, { manifest: claim(name), live });
  return found === undefined ? undefined : `${found.action}: ${found.reason}`;
};
const of = (record: object) => ({ data: dataWith(record) });
const REFUSED = '; --volumes none makes the claim empty';

test('a claim that is made is filled from what its commit promises, with its age and size', () => {
  assert.equal(chosen({}), 'restore: cut 14 min before this commit, 1 GiB');
});

test('a claim whose data was never promised is made empty, and says why', () => {
  assert.equal(chosen({}, 'cache'), 'empty: excluded by annotation kubekeeper.dev/snapshot');
  assert.equal(chosen({}, 'old'), 'empty: it could not be snapshotted: no VolumeSnapshotClass for driver nfs');
  assert.equal(chosen({}, 'new'), 'empty: no snapshot of it was cut before this commit');
  assert.equal(
    chosen({ data: { ...dataWith(), claims: new Map(), skipped: new Map() } }),
    'empty: no volume data belongs to this commit',
  );
  assert.equal(chosen({ selection: { ...EVERYTHING, volumes: 'none' } }), 'empty: --volumes none');
  assert.equal(chosen({ selection: { ...EVERYTHING, volumes: ['other'] } }), 'empty: --volumes names others');
  assert.equal(
    chosen({ reboundTo: () => 'pv-1' }, 'new'),
    'keep: is bound to its volume pv-1 again, whose data is left as it is',
  );
});

test('data that was promised and cannot be had is refused, never made empty by itself', () => {
  assert.equal(chosen(of({ state: 'failed', why: 'no space' })), `refuse: its snapshot failed: no space${REFUSED}`);
  assert.equal(chosen(of({ state: 'pending' })), `refuse: its snapshot was not ready yet${REFUSED}`);
  assert.equal(
    chosen(of({ state: 'pruned', prunedAt: '2026-11-01T00:00:00Z' })),
    `refuse: its snapshot was pruned on 2026-11-01${REFUSED}`,
  );
  assert.equal(chosen(of({ handle: undefined })), `refuse: the note has no handle of its snapshot${REFUSED}`);
  assert.equal(chosen({ obstacle: 'you may not create them' }), `refuse: you may not create them${REFUSED}`);
  assert.match(
    chosen({ classOf: () => 'slow' }) ?? '',
    /^refuse: the snapshot is of driver csi.example.com and StorageClass slow of nfs.example.com: name one of that driver with --storage-class/,
  );
  const promise = { snapshot: 'saved', record: undefined, cutAt: undefined, ageMs: undefined };
  const unknown = { ...dataWith(), claims: new Map([['data', promise]]) };
  assert.match(chosen({ data: unknown }) ?? '', /^refuse: no note says what became of snapshot saved/);
  assert.match(
    chosen({ data: { ...unknown, hasNotes: false } }) ?? '',
    /^refuse: the repository has no notes .* git clone --mirror/,
  );
});

test('a claim whose volume was made by hand cannot be filled, since no class makes one', () => {
  assert.match(chosen({ classOf: () => '' }) ?? '', /^refuse: the claim has no StorageClass/);
});

test('a StorageClass that may not be read, or is not there, is left to the cluster', () => {
  assert.match(chosen({ provisioners: undefined }) ?? '', /^restore/);
  assert.match(chosen({ classOf: () => 'unknown' }) ?? '', /^restore/);
});

test('a claim that lives keeps its data unless its replacement is asked for and possible', () => {
  assert.match(
    chosen({}, 'data', bound) ?? '',
    /^keep: it lives, and its data is left as it is; --existing-data replace brings back what was cut 14 min before/,
  );
  assert.equal(chosen({}, 'cache', bound), undefined);
  const selection = { ...EVERYTHING, existingData: 'replace' as const };
  assert.equal(
    chosen({ selection }, 'data', bound),
    'replace: what lives is replaced by data cut 14 min before this commit, 1 GiB; deployments.apps/web is scaled to 0 meanwhile',
  );
  assert.equal(
    chosen({ selection, usersOf: () => ({ problem: 'pod web uses it' }) }, 'data', bound),
    'refuse: pod web uses it; what lives is left as it is',
  );
  assert.match(
    chosen({ selection, ...of({ state: 'failed' }) }, 'data', bound) ?? '',
    /^refuse: its snapshot failed; what lives is left as it is/,
  );
});

test('a claim that a restore made and that waits for its data is not replaced', () => {
  const filling = { namespace: 'shop', claim: 'data', driver: RECORD.driver, handle: RECORD.handle };
  const live = claim('data', { spec: { dataSource: { name: fillingName(filling) } }, status: { phase: 'Pending' } });
  const selection = { ...EVERYTHING, existingData: 'replace' as const };
  assert.equal(chosen({ selection }, 'data', live), 'keep: it was made by a restore, and waits for its data');
});
