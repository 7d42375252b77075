import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observe, recordOfRequest } from '../../../controller/core/data/observe.ts';
import type { ClaimRecord } from '../../../controller/core/data/record.ts';
import { parseNote, renderNote } from '../../../controller/core/data/record.ts';
import { parseJson } from '../../../controller/core/json.ts';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { object } from '../builders.ts';

const ASKED = Date.parse('2026-11-21T12:00:00Z');
const claim = object('v1', 'PersistentVolumeClaim', {
  spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Block', storageClassName: 'fast' },
});
const asked = recordOfRequest(
  { claim, driver: 'csi.example.com', className: 'fast', reason: 'bound' },
  { volumeSnapshot: 'kubekeeper-data-1', askedAt: ASKED, size: 1024 },
);

const snapshot = (status: JsonObject): KubeObject =>
  object('snapshot.storage.k8s.io/v1', 'VolumeSnapshot', { metadata: { name: 'kubekeeper-data-1' }, status });
/** As the server sends it: nanoseconds are more than a double holds. */
const content = (status: string): KubeObject =>
  parseJson(`{"metadata":{"name":"snapcontent-1"},"status":${status}}`) as KubeObject;

function look(
  more: { snapshot?: KubeObject; content?: KubeObject },
  afterMs = 5000,
  record: ClaimRecord = asked,
): ClaimRecord {
  return observe(record, { snapshot: more.snapshot, content: more.content, now: ASKED + afterMs, timeoutMs: 600_000 });
}

test('a snapshot is ready when the driver says so and its handle is known', () => {
  const record = look({
    snapshot: snapshot({
      readyToUse: true,
      boundVolumeSnapshotContentName: 'snapcontent-1',
      creationTime: '2026-11-21T12:00:01Z',
    }),
    content: content(
      '{"snapshotHandle":"snap-1","creationTime":1795262401310000123,"readyToUse":true,"restoreSize":2048}',
    ),
  });
  assert.deepEqual(
    [record.state, record.handle, record.content, record.restoreSize, record.readyAt],
    ['ready', 'snap-1', 'snapcontent-1', 2048, '2026-11-21T12:00:05.000Z'],
  );
  assert.equal(record.creationTime, '2026-11-21T12:00:01.310Z');
  assert.deepEqual([record.volumeMode, record.size, record.storageClass], ['Block', 1024, 'fast']);
  const note = renderNote({ version: 1, claims: { data: record } });
  assert.equal(renderNote(parseNote(note, 'a'.repeat(40))), note);
});

test('silence about readiness is not readiness, nor is readiness without a handle', () => {
  assert.equal(look({ snapshot: snapshot({}), content: content('{"snapshotHandle":"snap-1"}') }).state, 'pending');
  assert.equal(look({ snapshot: snapshot({ readyToUse: true }) }).state, 'pending');
});

test('the handle is recorded as soon as it is there', () => {
  const record = look({ snapshot: snapshot({ readyToUse: false }), content: content('{"snapshotHandle":"snap-1"}') });
  assert.deepEqual([record.state, record.handle], ['pending', 'snap-1']);
});

test('an error on the way is told and passes, and ends as a failure at the deadline', () => {
  const error = { error: { message: 'rpc error: code = ResourceExhausted\nAuthorization: x' } };
  const early = look({ snapshot: snapshot(error) });
  assert.deepEqual([early.state, early.why], ['pending', 'rpc error: code = ResourceExhausted']);
  const later = look(
    { snapshot: snapshot({ readyToUse: true }), content: content('{"snapshotHandle":"s"}') },
    60_000,
    early,
  );
  assert.deepEqual([later.state, later.why], ['ready', undefined]);
  const late = look({ snapshot: snapshot(error) }, 600_000);
  assert.deepEqual([late.state, late.why], ['failed', 'not ready after 10 min: rpc error: code = ResourceExhausted']);
});

test("of an error the driver's own words are told, not what they are wrapped in", () => {
  const message =
    'Failed to check and update snapshot content: failed to take snapshot of the volume pvc-1: "rpc error: code = Internal desc = the array is broken"';
  assert.equal(look({ snapshot: snapshot({ error: { message } }) }).why, 'the array is broken (Internal)');
});

test('what was deleted before it was ready has failed, but not while its content lives', () => {
  assert.equal(look({}).why, 'the VolumeSnapshot was deleted before it was ready');
  assert.equal(look({ content: content('{"snapshotHandle":"snap-1","readyToUse":true}') }).state, 'ready');
  assert.equal(look({ content: content('{"snapshotHandle":"snap-1","readyToUse":false}') }).state, 'pending');
});

test('what is decided stays', () => {
  for (const state of ['ready', 'failed', 'pruned'] as const) {
    const record = { ...asked, state };
    assert.equal(look({}, 5000, record), record);
  }
});
