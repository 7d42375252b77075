import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JournalEntry, readJournal } from '../../../controller/core/restore/journal.ts';

const HEADER = { version: 1, id: 'one', repository: 'shop' };
const filling = { namespace: 'shop', claim: 'data', driver: 'csi.example.com', handle: 'snap-1' };
const ref = { resource: 'deployments.apps', namespace: 'shop', name: 'web' };
const resource = { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true };

const readWith = (...entries: readonly JournalEntry[]) =>
  readJournal([HEADER, ...entries].map((line) => `${JSON.stringify(line)}\n`).join(''));

test('what a restore of data has begun and not ended is read from its journal', () => {
  const record = readWith(
    { type: 'filling', ...filling },
    { type: 'scaled', ref, resource, replicas: 3 },
    { type: 'volume-kept', volume: 'pv-1', claim: 'data', policy: 'Delete' },
  );
  assert.deepEqual(record.volumes, {
    fillings: [filling],
    scaled: [{ ref, resource, replicas: 3 }],
    kept: [{ volume: 'pv-1', claim: 'data', policy: 'Delete' }],
  });
});

test('what has ended is not open any more', () => {
  const record = readWith(
    { type: 'filling', ...filling },
    { type: 'scaled', ref, resource, replicas: 3 },
    { type: 'volume-kept', volume: 'pv-1', claim: 'data', policy: 'Delete' },
    { type: 'scaled-back', ref },
    { type: 'volume-let-go', volume: 'pv-1' },
    { type: 'filled', claim: 'data' },
  );
  assert.equal(record.volumes, undefined);
});
