import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { missingForNode } from '../node/requirements.ts';
import { type DataWorld, startDataWorld, untilTrue } from './world.ts';

const skip = await missingForNode();
const LABELS = { labels: { app: 'shop' } };

let world: DataWorld;
before(async () => {
  if (skip === false) world = await startDataWorld();
});
after(() => world?.[Symbol.asyncDispose]());
afterEach(() => world?.node.node.faults.clear());

test('claims that labels tell apart are cut at one moment, and outlive their namespace', { skip }, async () => {
  const space = await world.space('pair', ['one', 'two'], LABELS);
  await using process = await space.open();
  const { id, data } = await process.commit();
  assert.deepEqual(
    data.trailers.map(([, value]) => value.replace(/[a-z0-9]{8}$/, 'RUN')),
    ['one=kubekeeper-group-0-RUN', 'two=kubekeeper-group-0-RUN'],
  );
  await process.settle();
  const note = process.note(id);
  assert.deepEqual(process.states(id), ['one ready', 'two ready']);
  assert.equal(process.told('snapshots-decided')[0]?.grade, 'group');
  const records = Object.values(note?.claims ?? {});
  assert.deepEqual(records.map(({ handle }) => handle).sort(), await space.handles());
  const [stored] = await space.stored();
  for (const record of records) {
    assert.equal(record.groupHandle, stored?.group);
    assert.ok((await space.living('volumesnapshots')).includes(record.member ?? ''));
  }
  await world.node.cluster.kubectl(['delete', 'namespace', 'pair', '--timeout=60s']);
  assert.equal((await space.stored()).length, 2);
});

test('a group is pruned as a whole, by its objects and by its handle', { skip }, async () => {
  const space = await world.space('prune', ['one', 'two'], LABELS);
  const first = await space.open();
  const ids: string[] = [];
  for (let count = 0; count < 4; count++) {
    space.clock.ahead += 3_600_000;
    ids.push((await first.commit()).id);
    await first.settle();
  }
  await first.kill();
  assert.equal((await space.stored()).length, 8);
  const policy = { retention: { keepLast: 3 } };
  await using second = await space.open({ policy });
  second.volumes.start(['prune']);
  await second.settle();
  assert.equal((await space.stored()).length, 6);
  assert.equal((await space.living('volumegroupsnapshots')).length, 3);
  assert.equal((await space.living('volumesnapshots')).length, 6);
  await second.kill();

  await world.node.cluster.kubectl(['delete', 'namespace', 'prune', '--timeout=60s']);
  const groups = await world.node.cluster.kubectl(['get', 'volumegroupsnapshotcontents', '-o', 'json']);
  const handle = second.note(ids[1] as string)?.claims?.['one']?.groupHandle;
  const items = (
    JSON.parse(groups) as { items: { metadata: { name: string }; status: { volumeGroupSnapshotHandle: string } }[] }
  ).items;
  const content = items.find(({ status }) => status.volumeGroupSnapshotHandle === handle)?.metadata.name as string;
  await world.node.cluster.kubectl(['delete', 'volumegroupsnapshotcontent', content, '--timeout=30s']);
  assert.equal((await space.stored()).length, 6);
  await using third = await space.open({ policy: { retention: { keepLast: 1 } } });
  third.volumes.start(['prune']);
  await third.settle();
  assert.deepEqual(
    ids.map((id) => third.states(id)[0]),
    ['one pruned', 'one pruned', 'one pruned', 'one ready'],
  );
  assert.equal((await space.stored()).length, 2);
});

test('a group that cannot be cut fails for all of its claims, and leaves nothing behind', { skip }, async () => {
  const space = await world.space('broken', ['one', 'two'], LABELS);
  await world.node.node.faults.set({
    call: 'CreateVolumeGroupSnapshot',
    code: 'INTERNAL',
    message: 'the array is broken',
  });
  await using process = await space.open({ policy: { timeout: '3s' } });
  const { id } = await process.commit();
  await process.settle();
  assert.deepEqual(process.states(id), ['one failed', 'two failed']);
  assert.match(process.note(id)?.claims?.['one']?.why ?? '', /the array is broken/);
  await world.node.node.faults.clear();
  await untilTrue('the group to be gone', async () => (await space.living('volumegroupsnapshots')).length === 0);
  await untilTrue('nothing to be left', async () => (await space.stored()).length === 0);
});

test('an orphaned group goes at the next start', { skip }, async () => {
  const space = await world.space('orphan', ['one', 'two'], LABELS);
  const killed = await space.open();
  await killed.volumes.beforeCommit('orphan', { isForced: false });
  await untilTrue('the group to be cut', async () => (await space.stored()).length === 2);
  await killed.kill();
  await using process = await space.open();
  process.volumes.start(['orphan']);
  await process.settle();
  assert.deepEqual(await space.living('volumegroupsnapshots'), []);
  assert.deepEqual(await space.stored(), []);
});

test('policy groupSnapshots never cuts each alone', { skip }, async () => {
  const space = await world.space('alone', ['one', 'two'], LABELS);
  await using process = await space.open({ policy: { groupSnapshots: 'never' } });
  await process.commit();
  await process.settle();
  assert.equal(process.told('snapshots-decided')[0]?.grade, 'crash-consistent');
});
