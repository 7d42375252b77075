import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type ClaimRecord, type DataNote, renderNote } from '../../controller/core/data/record.ts';
import { type KubeObject, objectAt } from '../../controller/core/object.ts';
import type { SnapshotTarget } from '../../controller/data/engine.ts';
import { missingForNode } from '../node/requirements.ts';
import { type DataSpace, type DataWorld, methodsOf, startDataWorld, untilTrue } from './world.ts';

const skip = await missingForNode();

let world: DataWorld;
before(async () => {
  if (skip === false) world = await startDataWorld({ groupSnapshots: false });
});
after(() => world?.[Symbol.asyncDispose]());
afterEach(() => world?.node.node.faults.clear());

test('what was asked for before a kill, and no commit names, is removed at the next start', { skip }, async () => {
  const space = await world.space('orphan', ['data', 'logs']);
  const killed = await space.open();
  const data = await killed.volumes.beforeCommit('orphan', { isForced: false });
  assert.equal(data.asked, 2);
  await untilTrue('the snapshots to be cut', async () => (await space.stored()).length === 2);
  await killed.kill();

  await using process = await space.open();
  process.volumes.start(['orphan']);
  await process.settle();
  assert.deepEqual(await space.living('volumesnapshots'), []);
  assert.deepEqual(await space.stored(), []);
  assert.deepEqual(
    process.told('snapshots-removed').map(({ why, count }) => [why, count]),
    [['orphaned', 2]],
  );
});

test("snapshots of a history that was put aside are nobody's orphans", { skip }, async () => {
  const space = await world.space('aside', ['data']);
  const before = await space.open();
  await before.commit();
  await before.settle();
  space.clock.ahead += 3_600_000;
  await before.commit();
  await before.settle();
  await before.kill();
  await space.putAside();
  space.clock.ahead += 7_200_000;
  await using process = await space.open();
  await process.commitOnly({ trailers: [] });
  process.volumes.start(['aside']);
  await process.settle();
  assert.equal((await space.stored()).length, 2);
  assert.deepEqual(process.told('snapshots-removed'), []);
});

test('what an old commit names is no orphan, also where its note cannot be read', { skip }, async () => {
  const space = await world.space('old', ['data']);
  const first = await space.open();
  const { id } = await first.commit();
  await first.settle();
  for (let count = 0; count < 510; count++) await first.commitOnly({ trailers: [] });
  await first.kill();
  const second = await space.open();
  second.volumes.start(['old']);
  await second.settle();
  assert.equal((await space.stored()).length, 1);
  await second.repository.note(id, '{"version":2}', { author: { name: 'n', email: 'e' }, time: new Date() });
  await second.kill();
  await using third = await space.open({ policy: { retention: { keepLast: 1 } } });
  third.volumes.start(['old']);
  await third.settle();
  assert.equal((await space.stored()).length, 1);
  assert.deepEqual(third.told('snapshots-removed'), []);
});

test('a kill between commit and note loses nothing: the next start follows what the trailers name', {
  skip,
}, async () => {
  const space = await world.space('unnoted', ['data', 'logs']);
  const killed = await space.open();
  const data = await killed.volumes.beforeCommit('unnoted', { isForced: false });
  const id = await killed.commitOnly(data);
  await killed.kill();

  await using process = await space.open();
  assert.equal(process.note(id), undefined);
  process.volumes.start(['unnoted']);
  await process.settle();
  assert.deepEqual(process.states(id), ['data ready', 'logs ready']);
  const record = process.note(id)?.claims?.['data'];
  assert.equal(record?.size, 64 * 2 ** 20);
  assert.equal(record?.driver, 'btrfs.test.kubekeeper.dev');
  assert.equal((await space.stored()).length, 2);
  assert.deepEqual(process.told('snapshots-removed'), []);
});

test('a commit whose snapshots were never asked for says so after the next start', { skip }, async () => {
  const space = await world.space('unasked', ['data']);
  const killed = await space.open();
  const id = await killed.commitOnly({ trailers: [['Snapshot', 'data=kubekeeper-data-00000000']] });
  await killed.kill();
  await using process = await space.open();
  process.volumes.start(['unasked']);
  await process.settle();
  assert.deepEqual(process.states(id), ['data failed']);
  assert.equal(process.note(id)?.claims?.['data']?.why, 'the controller ended before it was asked for');
});

test('a kill while a driver is slow, and the next start waits on', { skip }, async () => {
  const space = await world.space('waiting', ['data']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'waiting/data', delayMs: 3000 });
  const killed = await space.open();
  const { id } = await killed.commit();
  await killed.kill();
  await using process = await space.open();
  assert.deepEqual(process.states(id), ['data pending']);
  process.volumes.start(['waiting']);
  await process.settle();
  assert.deepEqual(process.states(id), ['data ready']);
  assert.deepEqual(process.due, []);
});

test('a failed snapshot that a kill left behind is removed at the next start', { skip }, async () => {
  const space = await world.space('failed', ['data']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'failed/data', neverReady: true });
  const killed = await space.open({ policy: { timeout: '1s' }, target: without(world.target, 'remove') });
  const { id } = await killed.commit();
  await untilTrue('the note to say so', () => killed.states(id)[0] === 'data failed');
  await killed.kill();
  assert.equal((await space.stored()).length, 1);
  await using process = await space.open();
  process.volumes.start(['failed']);
  await process.settle();
  assert.deepEqual(await space.stored(), []);
});

test('what prune removes is really gone, and a tag on an old commit keeps its data', { skip }, async () => {
  const space = await world.space('kept', ['data']);
  await using process = await space.open({ policy: { retention: { keepLast: 1 } } });
  const first = await points(space, process, 1);
  await process.tag('good/monday', first[0] as string);
  const rest = await points(space, process, 3);
  await process.settle();
  assert.deepEqual(process.states(first[0] as string), ['data ready']);
  assert.deepEqual(process.states(rest[0] as string), ['data pruned']);
  assert.notEqual(process.note(rest[0] as string)?.claims?.['data']?.removedAt, undefined);
  assert.deepEqual(process.states(rest[2] as string), ['data ready']);
  const kept = [first[0], rest[2]].map((id) => process.note(id as string)?.claims?.['data']?.handle);
  assert.deepEqual(await space.handles(), kept.sort());
  assert.equal((await space.living('volumesnapshots')).length, 2);
});

test('data whose namespace is gone is pruned by its content, and by its handle where that is gone too', {
  skip,
}, async () => {
  const space = await world.space('gone', ['data']);
  const policy = { retention: { keepLast: 1 } };
  const killed = await space.open();
  const ids = await points(space, killed, 3);
  await killed.kill();
  await world.node.cluster.kubectl(['delete', 'namespace', 'gone', '--timeout=60s']);
  await using process = await space.open({ policy });
  const content = process.note(ids[0] as string)?.claims?.['data']?.content as string;
  await world.node.cluster.kubectl(['delete', 'volumesnapshotcontent', content, '--timeout=30s']);
  assert.equal((await space.stored()).length, 3);
  process.volumes.start(['gone']);
  await process.settle();
  assert.deepEqual(
    ids.map((id) => process.states(id)[0]),
    ['data pruned', 'data pruned', 'data ready'],
  );
  assert.deepEqual(await space.handles(), [process.note(ids[2] as string)?.claims?.['data']?.handle]);
  assert.equal((await contentsOf('gone')).length, 1);
});

test('a kill in prune, after the note and before the deletion, is made up for at the next start', {
  skip,
}, async () => {
  const space = await world.space('pruning', ['data']);
  const policy = { retention: { keepLast: 1 } };
  const first = await space.open();
  const ids = await points(space, first, 2);
  await first.kill();
  const killed = await space.open({ policy, target: without(world.target, 'remove') });
  killed.volumes.start(['pruning']);
  await untilTrue('the note to say so', () => killed.states(ids[0] as string)[0] === 'data pruned');
  await killed.kill();
  assert.equal((await space.stored()).length, 2);
  await using process = await space.open({ policy });
  process.volumes.start(['pruning']);
  await process.settle();
  assert.notEqual(process.note(ids[0] as string)?.claims?.['data']?.removedAt, undefined);
  assert.deepEqual(await space.handles(), [process.note(ids[1] as string)?.claims?.['data']?.handle]);
});

test('a kill in prune, after the deletion and before the note, ends well too', { skip }, async () => {
  const space = await world.space('pruned', ['data']);
  const first = await space.open();
  const ids = await points(space, first, 2);
  await first.kill();
  const stuck: SnapshotTarget = {
    ...methodsOf(world.target),
    remove: async (...asked) => {
      await world.target.remove(...asked);
      return without(world.target, 'remove').remove(...asked);
    },
  };
  const killed = await space.open({ policy: { retention: { keepLast: 1 } }, target: stuck });
  killed.volumes.start(['pruned']);
  await untilTrue('the driver to have it no more', async () => (await space.stored()).length === 1);
  await killed.kill();
  assert.deepEqual(killed.states(ids[0] as string), ['data pruned']);
  // The policy may be another by then.
  await using process = await space.open();
  process.volumes.start(['pruned']);
  await process.settle();
  assert.notEqual(process.note(ids[0] as string)?.claims?.['data']?.removedAt, undefined);
  assert.equal((await contentsOf('pruned')).length, 1);
});

test('after a restart a timer asks for what became due', { skip }, async () => {
  const space = await world.space('timer', ['data']);
  const first = await space.open();
  await first.commit();
  await first.settle();
  await first.commit();
  await first.kill();
  await using process = await space.open();
  process.volumes.start(['timer']);
  await process.settle();
  assert.deepEqual(process.due, []);
  await process.kill();
  space.clock.ahead += 15 * 60_000;
  await using later = await space.open();
  later.volumes.start(['timer']);
  await untilTrue('it to be due', () => later.due.length > 0);
});

test('a tag that comes while prune has said that it goes keeps it', { skip }, async () => {
  const space = await world.space('late', ['data']);
  const policy = { retention: { keepLast: 1 } };
  const first = await space.open();
  const ids = await points(space, first, 2);
  await first.kill();
  let isTagged = false;
  const target: SnapshotTarget = {
    ...methodsOf(world.target),
    list: async (resource, where, signal) => {
      if (where.labelSelector?.includes('purpose=restore') && process.states(ids[0] as string)[0] === 'data pruned') {
        if (!isTagged) await process.tag('good/late', ids[0] as string);
        isTagged = true;
      }
      return world.target.list(resource, where, signal);
    },
  };
  await using process = await space.open({ policy, target });
  process.volumes.start(['late']);
  await process.settle();
  assert.equal(isTagged, true);
  assert.deepEqual(process.states(ids[0] as string), ['data ready']);
  assert.equal((await space.stored()).length, 2);
});

test('data that a restore uses is not pruned', { skip }, async () => {
  const space = await world.space('used', ['data']);
  const first = await space.open();
  const ids = await points(space, first, 2);
  const handle = first.note(ids[0] as string)?.claims?.['data']?.handle as string;
  await first.kill();
  await world.node.cluster.apply({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: {
      name: 'kubekeeper-restore-used',
      labels: { 'app.kubernetes.io/managed-by': 'kubekeeper', 'kubekeeper.dev/purpose': 'restore' },
    },
    spec: {
      deletionPolicy: 'Retain',
      driver: 'btrfs.test.kubekeeper.dev',
      source: { snapshotHandle: handle },
      volumeSnapshotRef: { kind: 'VolumeSnapshot', namespace: 'elsewhere', name: 'kubekeeper-restore-used' },
    },
  });
  await using process = await space.open({ policy: { retention: { keepLast: 1 } } });
  process.volumes.start(['used']);
  await process.settle();
  assert.deepEqual(process.states(ids[0] as string), ['data ready']);
  assert.equal((await space.stored()).length, 2);
});

test('what a restore left of a claim that is bound goes, and the snapshot in the driver stays', { skip }, async () => {
  const space = await world.space('leftover', ['data']);
  await using first = await space.open();
  const [id] = await points(space, first, 1);
  const handle = first.note(id as string)?.claims?.['data']?.handle as string;
  const labels = { 'app.kubernetes.io/managed-by': 'kubekeeper', 'kubekeeper.dev/purpose': 'restore' };
  const name = 'kubekeeper-restore-left';
  await world.node.cluster.apply({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name, labels },
    spec: {
      deletionPolicy: 'Retain',
      driver: 'btrfs.test.kubekeeper.dev',
      source: { snapshotHandle: handle },
      volumeSnapshotRef: { kind: 'VolumeSnapshot', namespace: 'leftover', name },
    },
  });
  await world.node.cluster.apply({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace: 'leftover', labels },
    spec: { source: { volumeSnapshotContentName: name } },
  });
  await world.node.createClaim('leftover', 'again', { snapshot: name });
  await world.node.waitFor('leftover', 'pvc/again', '.status.phase', 'Bound');
  await using process = await space.open();
  process.volumes.start(['leftover']);
  await process.settle();
  await untilTrue('it to be gone', async () => !(await space.living('volumesnapshots')).includes(name));
  await untilTrue('its content to be gone', async () => (await contentsOf('leftover')).length === 1);
  assert.ok((await space.handles()).includes(handle));
});

/** So many commits with snapshots of their own, an hour apart. */
async function points(
  space: DataSpace,
  process: Awaited<ReturnType<DataSpace['open']>>,
  count: number,
): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made++) {
    space.clock.ahead += 3_600_000;
    const { id, data } = await process.commit();
    assert.equal(data.asked, 1);
    await process.settle();
    ids.push(id);
  }
  return ids;
}

async function contentsOf(namespace: string): Promise<readonly string[]> {
  const path = '{range .items[*]}{.spec.volumeSnapshotRef.namespace} {.metadata.name}{"\\n"}{end}';
  const lines = await world.node.cluster.kubectl(['get', 'volumesnapshotcontents', '-o', `jsonpath=${path}`]);
  return lines.split('\n').filter((line) => line.startsWith(`${namespace} `));
}

/** A process that is killed when it comes to this: it never comes back from it. */
function without(target: SnapshotTarget, method: 'remove'): SnapshotTarget {
  return {
    ...methodsOf(target),
    [method]: (_resource: unknown, _place: unknown, { signal }: { signal?: AbortSignal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true })),
  };
}

test("a note that names another namespace's snapshot makes prune delete nothing of it", { skip }, async () => {
  const theirs = await world.space('payroll', ['data']);
  const handle = await world.node.snapshot('payroll', 'salaries', 'data');
  const space = await world.space('curious', ['data']);
  const first = await space.open();
  const [old = '', kept = ''] = await points(space, first, 2);
  const note = first.note(old) as DataNote;
  const forged = { ...note.claims?.['data'], volumeSnapshot: 'kubekeeper-data-forged11', handle } as ClaimRecord;
  const by = { author: { name: 'somebody', email: 'somebody@example.com' }, time: new Date() };
  await first.repository.note(old, renderNote({ ...note, claims: { data: forged } }), by);
  await first.kill();
  await using process = await space.open({ policy: { retention: { keepLast: 1 } } });
  process.volumes.start(['curious']);
  await process.settle();
  assert.deepEqual(await theirs.handles(), [handle]);
  assert.deepEqual(process.states(kept), ['data ready']);
  const told = process.outcomes.flatMap((one) => (one.type === 'snapshots-failed' ? [one.reason] : []));
  assert.match(told.join('\n'), /the handle in its note is of a snapshot of namespace "payroll"; nothing was deleted/);
});

test('a content whose snapshot went before the snapshot controller heard that it may go too is deleted all the same', {
  skip,
}, async () => {
  const space = await world.space('unheard', ['data']);
  const first = await space.open();
  const ids = await points(space, first, 2);
  await first.kill();
  let unheard = 0;
  const target: SnapshotTarget = {
    ...methodsOf(world.target),
    patch: async (resource, place, operations, options) => {
      const isFreed = operations.some((one) => one.op === 'replace' && one.value === 'Delete');
      if (!isFreed || unheard > 0) return world.target.patch(resource, place, operations, options);
      unheard++;
      const live = (await world.target.get(resource, place)) as KubeObject;
      return { ok: true, object: { ...live, spec: { ...objectAt(live, 'spec'), deletionPolicy: 'Delete' } } };
    },
  };
  await using process = await space.open({ policy: { retention: { keepLast: 1 } }, target });
  process.volumes.start(['unheard']);
  await process.settle();
  assert.equal(unheard, 1);
  assert.notEqual(process.note(ids[0] as string)?.claims?.['data']?.removedAt, undefined);
  assert.deepEqual(await space.handles(), [process.note(ids[1] as string)?.claims?.['data']?.handle]);
});
