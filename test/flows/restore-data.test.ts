import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { claim, pod } from '../node/objects.ts';
import { missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import { hashOf, savePoint, writeRandom } from '../restore-data/saved.ts';
import { brief, openPlace, type Place } from './restoring.ts';

/** Namespaces come back with the bytes of their claims, on a real node with a real driver. */

const skip = await missingForNode();

let world: TestNode;
let place: Place;
before(async () => {
  if (skip !== false) return;
  world = await startTestNode();
  place = await openPlace(world.cluster.kubeconfig);
});
after(async () => {
  await place?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** What a restore made beside the claims, and has to take away. */
async function leftOver(): Promise<string> {
  const kinds = 'volumesnapshots,volumesnapshotcontents';
  const listed = await world.cluster.kubectl(['get', kinds, '-A', '-l', 'kubekeeper.dev/purpose=restore', '-o', 'name']);
  return listed.trim();
}

test('a namespace that was deleted with its VolumeSnapshots comes back with the files of its claims', {
  skip,
}, async () => {
  await world.createNamespace('shop');
  await world.createClaim('shop', 'data');
  await world.cluster.apply(pod('shop', 'web', world.node.busybox, ['data']));
  await world.node.waitForPod('shop', 'web');
  const written = await writeRandom(world, 'shop', 'web', '/data/1000.txt');
  const handle = await world.snapshot('shop', 'before', 'data', 'btrfs-retain');
  await place.archive('--namespaces', 'shop');
  await savePoint(place.data, 'shop', { claims: { data: { handle } }, ageMs: 14 * 60_000 });
  await world.cluster.kubectl(['delete', 'namespace', 'shop', '--timeout=60s']);

  const { stdout, stderr } = await place.run('plan', 'shop', '--to', 'HEAD');
  assert.match(stdout, /volumes: crash-consistent: 1 claim\n {2}restore {2}data {2}cut 14 min before this commit, 64 MiB/, stderr);
  const plan = await place.plan('shop', '--to', 'HEAD');
  assert.equal(plan.volumes?.[0]?.data?.handle, handle);
  assert.ok(brief(plan).includes('create persistentvolumeclaims/data'));

  const started = performance.now();
  const { code, document, stderr: told } = await place.restore('shop', '--to', 'HEAD');
  console.log(`restored in ${Math.round(performance.now() - started)} ms`, told);
  assert.deepEqual([code, document?.incomplete, document?.different], [0, [], []], told);
  await world.node.waitForPod('shop', 'web');
  assert.equal(await hashOf(world, 'shop', 'web', '/data/1000.txt'), written);
  assert.equal(await leftOver(), '');
  assert.ok((await world.node.snapshots()).some((one) => one.handle === handle), 'the physical snapshot stays');
});
