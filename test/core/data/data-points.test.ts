import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsOfNote, claimsOfPlan } from '../../../controller/core/data/claim-data.ts';
import { dataPoints } from '../../../controller/core/data/data-points.ts';
import type { DataCommit } from '../../../controller/core/data/points.ts';
import type { ClaimRecord } from '../../../controller/core/data/record.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const MINUTE = 60_000;
const snapshots = new Map([['data', 'snap']]);

const record = (state: ClaimRecord['state'], more: Partial<ClaimRecord> = {}): ClaimRecord => ({
  ...{ uid: 'u', volumeSnapshot: 'snap', driver: 'csi.example.com', class: 'fast' },
  ...{ state, askedAt: new Date(NOON).toISOString(), ...more },
});

function commit(id: string, minutes: number, more: Partial<DataCommit> = {}): DataCommit {
  const time = NOON + minutes * MINUTE;
  return { id, time, tags: [], snapshots: new Map(), coveredBy: undefined, note: undefined, ...more };
}

test('a point has all commits that share its snapshots, and their tags', () => {
  const note = { version: 1, askedAt: new Date(NOON).toISOString(), claims: { data: record('ready') } } as const;
  const [point, ...more] = dataPoints([
    commit('d', 3),
    commit('c', 2, { snapshots, coveredBy: 'a', tags: ['good/c'] }),
    commit('b', 1, { snapshots, coveredBy: 'a' }),
    commit('a', 0, { snapshots, note }),
  ]);
  assert.deepEqual(more, []);
  assert.deepEqual(point?.commits, ['c', 'b', 'a']);
  assert.deepEqual([point?.commit, point?.askedAt, point?.tags], ['a', NOON, ['good/c']]);
  assert.deepEqual([point?.graded.words, point?.isPruned], ['crash-consistent: 1 claim', false]);
});

test('newest first by when they were asked for; what only says why it has none is a point too', () => {
  const skipped = { logs: { kind: 'impossible', why: 'no class' } } as const;
  const pruned = {
    version: 1,
    claims: { data: record('pruned') },
    skipped: { old: { kind: 'excluded', why: 'x' } },
  } as const;
  const points = dataPoints([
    commit('c', 2, { snapshots }),
    commit('b', 1, { note: { version: 1, skipped } }),
    commit('a', 0, { snapshots, note: pruned }),
  ]);
  assert.deepEqual(
    points.map(({ commit: id, graded, isPruned }) => [id, graded.words, isPruned]),
    [
      ['c', 'pending: nothing is noted of data', false],
      ['b', 'none: 0 of 1 claim (logs: no class)', false],
      ['a', 'none: 0 of 1 claim (data: pruned)', true],
    ],
  );
});

test('claims are told by name: those of the note, those that only a trailer names, those that were left out', () => {
  const claims = claimsOfNote(
    {
      version: 1,
      claims: { data: record('ready', { creationTime: '2026-11-22T12:00:01Z', restoreSize: 5, size: 4 }) },
      skipped: { cache: { kind: 'excluded', why: 'by annotation' } },
    },
    new Map([
      ['data', 'snap'],
      ['bare', 'snap-2'],
    ]),
  );
  assert.deepEqual(claims, [
    { name: 'bare', state: 'pending', volumeSnapshot: 'snap-2' },
    { name: 'cache', state: 'excluded', why: 'by annotation' },
    {
      ...{ name: 'data', state: 'ready', size: 4, restoreSize: 5, cutAt: '2026-11-22T12:00:01Z' },
      ...{ volumeSnapshot: 'snap', driver: 'csi.example.com' },
    },
  ]);
});

test('where nobody asked, what should have been asked for is missing and never taken for saved', () => {
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } };
  const planned = { claim, driver: 'csi.example.com', className: 'fast', reason: 'bound' };
  const skipped = [{ name: 'logs', kind: 'impossible', why: 'no class' } as const];
  assert.deepEqual(claimsOfPlan({ alone: [planned], groups: [], skipped }, 'the API server did not answer'), [
    { name: 'data', state: 'missing', why: 'the API server did not answer', driver: 'csi.example.com' },
    { name: 'logs', state: 'impossible', why: 'no class' },
  ]);
});
