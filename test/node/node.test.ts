import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { groupSnapshot, volumeSnapshot } from './objects.ts';
import { missingForNode } from './requirements.ts';
import { startTestNode, type TestNode } from './test-node.ts';

const skip = await missingForNode();

let world: TestNode;
before(async () => {
  if (skip === false) world = await startTestNode();
});
after(() => world?.[Symbol.asyncDispose]());

/** Writes `bytes` of random data to a file on a claim; resolves with the hash. */
async function writeRandom(namespace: string, pod: string, path: string, bytes: number): Promise<string> {
  const script = `head -c ${bytes} /dev/urandom > ${path} && sha256sum < ${path}`;
  return (await world.node.exec(namespace, pod, ['sh', '-c', script])).trim();
}

const hashOf = async (namespace: string, pod: string, path: string, bytes?: number) => {
  const read = bytes === undefined ? `cat ${path}` : `head -c ${bytes} ${path}`;
  return (await world.node.exec(namespace, pod, ['sh', '-c', `${read} | sha256sum`])).trim();
};

test('the node is ready in under 25 s, a pod runs on it and takes commands, their input and their failures', {
  skip,
}, async () => {
  assert.ok(world.node.readyMs < 25_000, `it took ${world.node.readyMs} ms`);
  await world.createNamespace('shell');
  await world.runPod('shell', 'web', []);
  assert.equal(await world.node.exec('shell', 'web', ['cat'], { stdin: 'over there\n' }), 'over there\n');
  await assert.rejects(world.node.exec('shell', 'web', ['sh', '-c', 'echo no >&2; exit 3']), /no[\s\S]*exit code 3/);
  assert.equal(await world.cluster.kubectl(['logs', 'web', '-n', 'shell']), '');
});

test('a snapshot brings the bytes of its moment back into a new claim, also when volume and namespace are gone', {
  skip,
}, async () => {
  await world.createNamespace('files');
  await world.createClaim('files', 'data');
  await world.runPod('files', 'writer', ['data']);
  const written = await writeRandom('files', 'writer', '/data/1000.bin', 5_000_000);
  const handle = await world.snapshot('files', 'before', 'data');
  await writeRandom('files', 'writer', '/data/1000.bin', 5_000_000);
  await world.createClaim('files', 'again', { snapshot: 'before' });
  await world.runPod('files', 'reader', ['again']);
  assert.equal(await hashOf('files', 'reader', '/again/1000.bin'), written);

  const kept = await world.snapshot('files', 'kept', 'again', 'btrfs-retain');
  await world.remove('files', 'pod/writer', 'pod/reader');
  await world.cluster.kubectl(['delete', 'namespace', 'files', '--timeout=60s']);
  const handles = async () => (await world.node.snapshots()).map((snapshot) => snapshot.handle);
  await untilEqual(async () => (await handles()).includes(handle), false);
  assert.ok((await handles()).includes(kept), 'a Retain class keeps what the driver has');
  await untilEqual(async () => (await world.node.volumes()).some(({ claim }) => claim.startsWith('files/')), false);
});

test('a group snapshot of two claims is one instant: a writer that writes to both in turn is never half seen', {
  skip,
}, async () => {
  await world.createNamespace('pair');
  const lastOf = async (pod: string, claim: string) =>
    Number(await world.node.exec('pair', pod, ['tail', '-n', '1', `/${claim}/n`]));
  for (const name of ['one', 'two']) await world.createClaim('pair', name, { labels: { app: 'pair' } });
  await world.runPod('pair', 'writer', ['one', 'two']);
  const script = 'n=0; while :; do n=$((n+1)); echo $n >> /one/n; echo $n >> /two/n; done';
  await world.node.exec('pair', 'writer', ['sh', '-c', `(${script}) > /dev/null 2>&1 &`]);
  await untilEqual(async () => (await lastOf('writer', 'two')) > 10, true);
  await world.cluster.apply(groupSnapshot('pair', 'both', { app: 'pair' }));
  await world.waitFor('pair', 'volumegroupsnapshot/both', '.status.readyToUse', 'true');
  const members = (await world.node.snapshots()).filter(({ claim }) => claim.startsWith('pair/'));
  assert.deepEqual(members.map(({ claim }) => claim).sort(), ['pair/one', 'pair/two']);
  assert.equal(new Set(members.map(({ group }) => group)).size, 1);

  const names = JSON.parse(await world.cluster.kubectl(['get', 'volumesnapshots', '-n', 'pair', '-o', 'json'])) as {
    items: { metadata: { name: string }; spec: { source: { persistentVolumeClaimName: string } } }[];
  };
  assert.equal(names.items.length, 2);
  for (const { metadata, spec } of names.items) {
    const claim = spec.source.persistentVolumeClaimName;
    await world.createClaim('pair', `${claim}-again`, { snapshot: metadata.name });
  }
  await world.runPod('pair', 'reader', ['one-again', 'two-again']);
  const [one, two] = [await lastOf('reader', 'one-again'), await lastOf('reader', 'two-again')];
  assert.ok(two > 10 && (one === two || one === two + 1), `one saw ${one}, two saw ${two}`);
  const now = await lastOf('writer', 'one');
  await untilEqual(async () => (await lastOf('writer', 'one')) > now, true);
});

test('a Block claim is a device with the bytes of its snapshot', { skip }, async () => {
  await world.createNamespace('raw');
  await world.createClaim('raw', 'disk', { block: true });
  await world.runPod('raw', 'writer', [], ['disk']);
  const script =
    'head -c 3000000 /dev/urandom | dd of=/disk bs=1M conv=fsync 2> /dev/null; head -c 3000000 /disk | sha256sum';
  const written = (await world.node.exec('raw', 'writer', ['sh', '-c', script])).trim();
  await world.snapshot('raw', 'before', 'disk');
  await world.node.exec('raw', 'writer', [
    'sh',
    '-c',
    'dd if=/dev/zero of=/disk bs=1M count=4 conv=fsync 2> /dev/null',
  ]);
  await world.createClaim('raw', 'again', { block: true, snapshot: 'before' });
  await world.runPod('raw', 'reader', [], ['again']);
  assert.equal(await hashOf('raw', 'reader', '/again', 3_000_000), written);
  assert.notEqual(await hashOf('raw', 'writer', '/disk', 3_000_000), written);
});

test('claims that ask for more get it while they are in use, the device of a Block claim too', { skip }, async () => {
  await world.createNamespace('more');
  await world.createClaim('more', 'data');
  await world.createClaim('more', 'disk', { block: true });
  await world.runPod('more', 'web', ['data'], ['disk']);
  const bytes = String(128 * 2 ** 20);
  const patch = JSON.stringify({ spec: { resources: { requests: { storage: '128Mi' } } } });
  for (const name of ['data', 'disk']) await world.cluster.kubectl(['patch', 'pvc', name, '-n', 'more', '-p', patch]);
  for (const name of ['data', 'disk'])
    await world.waitFor('more', `pvc/${name}`, '.status.capacity.storage', '128Mi', 90);
  assert.equal((await world.node.exec('more', 'web', ['blockdev', '--getsize64', '/disk'])).trim(), bytes);
});

test('a claim that waits for its first consumer gets its volume with the pod', { skip }, async () => {
  await world.createNamespace('late');
  await world.createClaim('late', 'data', { storageClass: 'btrfs-wait' });
  assert.equal(await world.read('late', 'pvc/data', '.status.phase'), 'Pending');
  await world.runPod('late', 'first', ['data']);
  assert.equal(await world.read('late', 'pvc/data', '.status.phase'), 'Bound');
  assert.equal(
    await world.read('late', 'pvc/data', '.metadata.annotations.volume\\.kubernetes\\.io/selected-node'),
    world.node.name,
  );
});

test('a class whose driver makes no snapshots serves claims, and a snapshot of one says why not', {
  skip,
}, async () => {
  await world.createNamespace('plain');
  await world.createClaim('plain', 'data', { storageClass: 'plain' });
  await world.runPod('plain', 'web', ['data']);
  await world.cluster.apply(volumeSnapshot('plain', 'never', 'data'));
  const refusal = () => world.read('plain', 'volumesnapshot/never', '.status.error.message');
  await untilEqual(async () => (await refusal()) !== '', true);
  assert.match(await refusal(), /cannot find default snapshot class/);
});

test('handles survive a restart of the driver, and snapshots the deletion of their volume', { skip }, async () => {
  await world.createNamespace('restart');
  await world.createClaim('restart', 'data');
  await world.runPod('restart', 'writer', ['data']);
  const written = await writeRandom('restart', 'writer', '/data/file', 100_000);
  const handle = await world.snapshot('restart', 'before', 'data');
  await world.node.restartDriver();
  await world.remove('restart', 'pod/writer', 'pvc/data');
  await untilEqual(async () => (await world.node.volumes()).some(({ claim }) => claim === 'restart/data'), false);
  assert.ok((await world.node.snapshots()).some((snapshot) => snapshot.handle === handle));
  await world.createClaim('restart', 'again', { snapshot: 'before' });
  await world.runPod('restart', 'reader', ['again']);
  assert.equal(await hashOf('restart', 'reader', '/again/file'), written);
});

async function untilEqual<Value>(read: () => Promise<Value>, expected: Value): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (let now = await read(); now !== expected; now = await read()) {
    assert.ok(performance.now() < deadline, `still ${now} after 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
