import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { OUT_OF_SPACE } from './faults.ts';
import { volumeSnapshot } from './objects.ts';
import { missingForNode } from './requirements.ts';
import { startTestNode, type TestNode } from './test-node.ts';

const skip = await missingForNode();
const NAMESPACE = 'faults';

let world: TestNode;
before(async () => {
  if (skip !== false) return;
  world = await startTestNode({ groupSnapshots: false });
  await world.createNamespace(NAMESPACE);
  for (const name of ['one', 'two']) await world.createClaim(NAMESPACE, name);
  await world.runPod(NAMESPACE, 'holder', ['one', 'two']);
});
after(() => world?.[Symbol.asyncDispose]());
afterEach(() => world?.node.faults.clear());

const ask = (name: string, claim: string) => world.cluster.apply(volumeSnapshot(NAMESPACE, name, claim));
const untilReady = (name: string) => world.waitFor(NAMESPACE, `volumesnapshot/${name}`, '.status.readyToUse', 'true');
const errorOf = (name: string) => world.read(NAMESPACE, `volumesnapshot/${name}`, '.status.error.message');

async function untilError(name: string): Promise<string> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const error = await errorOf(name);
    if (error !== '') return error;
    assert.ok(performance.now() < deadline, `${name} has no error after 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('a slow driver makes the snapshot of one claim late, and not that of another', { skip }, async () => {
  await world.node.faults.set({ call: 'CreateSnapshot', claim: 'faults/one', delayMs: 3000 });
  const started = performance.now();
  await Promise.all([ask('slow', 'one'), ask('quick', 'two')]);
  await untilReady('quick');
  const quick = performance.now() - started;
  await untilReady('slow');
  const slow = performance.now() - started;
  assert.ok(slow >= 3000 && quick < slow, `one after ${slow} ms, two after ${quick} ms`);
});

test('a snapshot that never gets ready has a handle, and gets ready when the fault ends', { skip }, async () => {
  await world.node.faults.set({ call: 'CreateSnapshot', claim: 'faults/one', neverReady: true });
  await ask('never', 'one');
  await world.waitFor(NAMESPACE, 'volumesnapshot/never', '.status.readyToUse', 'false');
  assert.equal((await world.node.snapshots()).filter(({ claim }) => claim === 'faults/one').length, 2);
  await assert.rejects(world.waitFor(NAMESPACE, 'volumesnapshot/never', '.status.readyToUse', 'true', 3), /timed out/);
  await world.node.faults.clear();
  await untilReady('never');
});

test('a driver that fails twice is asked again, and one snapshot comes of it', { skip }, async () => {
  const before = (await world.node.snapshots()).length;
  await world.node.faults.set({ call: 'CreateSnapshot', code: 'UNAVAILABLE', message: 'the array restarts', times: 2 });
  await ask('twice', 'one');
  assert.match(await untilError('twice'), /the array restarts/);
  await untilReady('twice');
  assert.equal((await world.node.snapshots()).length, before + 1);
});

test('a driver whose answer was lost has the snapshot, and asking again finds it', { skip }, async () => {
  const before = (await world.node.snapshots()).length;
  await world.node.faults.set({ call: 'CreateSnapshot', code: 'DEADLINE_EXCEEDED', afterwards: true, times: 1 });
  await ask('lost', 'one');
  await untilReady('lost');
  assert.equal((await world.node.snapshots()).length, before + 1);
});

test('a driver without space says so for one claim, and keeps nothing of it', { skip }, async () => {
  await world.node.faults.set({ call: 'CreateSnapshot', claim: 'faults/two', ...OUT_OF_SPACE });
  const before = (await world.node.snapshots()).length;
  await Promise.all([ask('full', 'two'), ask('fits', 'one')]);
  assert.match(await untilError('full'), /no space left in the pool/);
  await untilReady('fits');
  assert.equal((await world.node.snapshots()).length, before + 1);
  await world.node.faults.set({ call: 'CreateVolume', ...OUT_OF_SPACE });
  await world.createClaim(NAMESPACE, 'third');
  const events = [
    'get',
    'events',
    '-n',
    NAMESPACE,
    '--field-selector',
    'involvedObject.name=third',
    '-o',
    'jsonpath={..message}',
  ];
  const deadline = performance.now() + 30_000;
  while (!(await world.cluster.kubectl(events)).includes('no space left in the pool')) {
    assert.ok(performance.now() < deadline, 'no event says so after 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(await world.read(NAMESPACE, 'pvc/third', '.status.phase'), 'Pending');
  await world.node.faults.clear();
  await world.waitFor(NAMESPACE, 'pvc/third', '.status.phase', 'Bound');
});

test('a snapshot that the driver does not delete stays until it does', { skip }, async () => {
  const handle = await world.snapshot(NAMESPACE, 'stays', 'one');
  await world.node.faults.set({ call: 'DeleteSnapshot', code: 'INTERNAL', message: 'the array is busy' });
  const gone = world.remove(NAMESPACE, 'volumesnapshot/stays');
  gone.catch(() => undefined);
  const has = async () => (await world.node.snapshots()).some((snapshot) => snapshot.handle === handle);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(await has(), true);
  await world.node.faults.clear();
  await gone;
  const deadline = performance.now() + 30_000;
  while (await has()) {
    assert.ok(performance.now() < deadline, 'it is still there after 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test('a cluster without groups of snapshots serves none', { skip }, async () => {
  assert.equal((await world.cluster.request('GET', '/apis/groupsnapshot.storage.k8s.io')).status, 404);
});
