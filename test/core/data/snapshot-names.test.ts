import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  groupSnapshotName,
  lookName,
  removalName,
  runOfName,
  snapshotName,
} from '../../../controller/core/data/snapshot-names.ts';
import { parseSnapshotTrailers, renderSnapshotTrailers } from '../../../controller/core/data/snapshot-trailers.ts';

const RUN = 'x7k2p9qd';

test('a snapshot is called after its claim and its run', () => {
  assert.equal(snapshotName('data-db-0', RUN), 'kubekeeper-data-db-0-x7k2p9qd');
  assert.equal(groupSnapshotName(1, RUN), 'kubekeeper-group-1-x7k2p9qd');
  assert.equal(runOfName(snapshotName('data', RUN)), RUN);
  assert.equal(runOfName('nightly-2026'), undefined);
});

test('names of claims as long as they may be stay names, and stay apart', () => {
  const claims = ['a', 'b'].map((last) => `${'long.'.repeat(50)}${last}c`);
  const names = claims.map((claim) => snapshotName(claim, RUN));
  assert.equal(new Set(names).size, 2);
  for (const name of names) {
    assert.ok(name.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) && !/[.-]{2}/.test(name), name);
    assert.equal(runOfName(name), RUN);
  }
  const snapshots = new Map(claims.map((claim, index) => [claim, names[index] as string]));
  const trailers = renderSnapshotTrailers({ snapshots, coveredBy: undefined }).map(([key, value]) => ({ key, value }));
  assert.deepEqual(parseSnapshotTrailers(trailers), { snapshots, coveredBy: undefined, odd: [] });
});

test('a handle always has the same content to be deleted through, and another driver another one', () => {
  assert.equal(removalName('a', 'snap-1'), removalName('a', 'snap-1'));
  assert.equal(new Set([removalName('a', 'snap-1'), removalName('b', 'snap-1'), lookName('a', 'snap-1')]).size, 3);
});
