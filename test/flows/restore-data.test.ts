import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OUT_OF_SPACE } from '../node/faults.ts';
import { groupSnapshot, pod } from '../node/objects.ts';
import { missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import { hashOf, leftOver, savePoint, savePointCoveredBy, writeNote, writeRandom } from '../restore-data/saved.ts';
import { eventually } from './keeper.ts';
import { applyAll, brief, object, openPlace, type Place, type Restored } from './restoring.ts';

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
  assert.match(
    stdout,
    /volumes: crash-consistent: 1 claim\n {2}restore {2}data {2}cut 14 min before this commit, 64 MiB/,
    stderr,
  );
  const plan = await place.plan('shop', '--to', 'HEAD');
  assert.equal(plan.volumes?.[0]?.data?.handle, handle);
  assert.ok(brief(plan).includes('create persistentvolumeclaims/data'));

  const { code, document, stderr: told } = await place.restore('shop', '--to', 'HEAD');
  assert.deepEqual([code, document?.incomplete, document?.different], [0, [], []], told);
  await world.node.waitForPod('shop', 'web');
  assert.equal(await hashOf(world, 'shop', 'web', '/data/1000.txt'), written);
  assert.deepEqual(await leftOver(world, 'shop'), []);
  assert.ok(
    (await world.node.snapshots()).some((one) => one.handle === handle),
    'the physical snapshot stays',
  );
});

const claimTemplate = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } } },
};

function statefulSet(namespace: string, image: string) {
  const labels = { app: 'store' };
  const container = {
    name: 'main',
    image,
    imagePullPolicy: 'Never',
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  return object('apps/v1', 'StatefulSet', namespace, 'store', {
    spec: {
      replicas: 2,
      serviceName: 'store',
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
      volumeClaimTemplates: [claimTemplate],
    },
  });
}

/** A namespace with a pod that has a claim, archived and saved; resolves with the hash of the file and the handle. */
async function makeSaved(name: string, options: { readonly storageClass?: string } = {}) {
  await world.createNamespace(name);
  await world.createClaim(name, 'data', options);
  await world.runPod(name, 'web', ['data']);
  const hash = await writeRandom(world, name, 'web', '/data/file');
  const handle = await world.snapshot(name, 'before', 'data', 'btrfs-retain');
  await place.archive('--namespaces', name);
  const point = await savePoint(place.data, name, { claims: { data: { handle } } });
  return { hash, handle, point };
}

/** 'create namespaces/look', in the order of the plan. */
const made = ({ document }: Restored) =>
  document?.steps.map(({ action, ref }) => `${action} ${ref.resource}/${ref.name}`);

const remove = (namespace: string) => world.cluster.kubectl(['delete', 'namespace', namespace, '--timeout=60s']);

test('Block claims, claims that wait for their first consumer and the claims of a StatefulSet come back; the same beside it with another class', {
  skip,
}, async () => {
  await world.createNamespace('many');
  await world.createClaim('many', 'disk', { block: true });
  await world.createClaim('many', 'late', { storageClass: 'btrfs-wait' });
  await applyAll(world.cluster, [statefulSet('many', world.node.busybox)]);
  await world.runPod('many', 'holder', ['late'], ['disk']);
  for (const name of ['store-0', 'store-1']) await world.node.waitForPod('many', name);
  const raw =
    'head -c 3000000 /dev/urandom | dd of=/disk bs=1M conv=fsync 2> /dev/null; head -c 3000000 /disk | sha256sum';
  const hashes = {
    disk: (await world.node.exec('many', 'holder', ['sh', '-c', raw])).trim(),
    late: await writeRandom(world, 'many', 'holder', '/late/file'),
    first: await writeRandom(world, 'many', 'store-0', '/data/file'),
    second: await writeRandom(world, 'many', 'store-1', '/data/file'),
  };
  const claims: Record<string, { handle: string; volumeMode?: string }> = {};
  for (const name of ['disk', 'late', 'data-store-0', 'data-store-1'])
    claims[name] = { handle: await world.snapshot('many', `of-${name}`, name, 'btrfs-retain') };
  (claims['disk'] as { volumeMode?: string }).volumeMode = 'Block';
  await place.archive('--namespaces', 'many');
  const point = await savePoint(place.data, 'many', { claims });
  await remove('many');

  const check = async (namespace: string) => {
    for (const name of ['holder', 'store-0', 'store-1']) await world.node.waitForPod(namespace, name);
    assert.equal(await hashOf(world, namespace, 'holder', '/disk'), hashes.disk);
    assert.equal(await hashOf(world, namespace, 'holder', '/late/file'), hashes.late);
    assert.equal(await hashOf(world, namespace, 'store-0', '/data/file'), hashes.first);
    assert.equal(await hashOf(world, namespace, 'store-1', '/data/file'), hashes.second);
    assert.deepEqual(await leftOver(world, namespace), []);
  };
  const back = await place.restore('many', '--to', point);
  assert.deepEqual([back.code, back.document?.incomplete, back.document?.different], [0, [], []], back.stderr);
  await check('many');

  const beside = ['--to', point, '--into', 'many-copy', '--storage-class', 'btrfs=btrfs-wait'];
  const copied = await place.restore('many', ...beside);
  assert.deepEqual([copied.code, copied.document?.incomplete, copied.document?.different], [0, [], []], copied.stderr);
  await check('many-copy');
  assert.equal(await world.read('many-copy', 'pvc/data-store-0', '.spec.storageClassName'), 'btrfs-wait');
  const again = await place.plan('many', '--to', point);
  assert.deepEqual(new Set(again.volumes?.map(({ action }) => action)), new Set(['keep']));

  const one = await place.restore('many', '--to', point, '--into', 'look', '--object', 'persistentvolumeclaims/late');
  assert.deepEqual(made(one), ['create namespaces/look', 'create persistentvolumeclaims/late'], one.stderr);
  assert.match(one.stderr, /persistentvolumeclaims\/late: its StorageClass makes the volume when a pod uses the claim/);
  assert.equal(one.code, 0);
  await world.runPod('look', 'reader', ['late']);
  assert.equal(await hashOf(world, 'look', 'reader', '/late/file'), hashes.late);
});

test('only the data comes back with --volumes only, only the named with their names, and none with none', {
  skip,
}, async () => {
  await world.createNamespace('few');
  for (const name of ['one', 'two', 'three']) await world.createClaim('few', name);
  await world.runPod('few', 'web', ['one', 'two', 'three']);
  const hash = await writeRandom(world, 'few', 'web', '/one/file');
  const claims = {
    one: { handle: await world.snapshot('few', 'of-one', 'one', 'btrfs-retain') },
    two: { handle: await world.snapshot('few', 'of-two', 'two', 'btrfs-retain') },
  };
  await place.archive('--namespaces', 'few');
  const asked = await savePoint(place.data, 'few', {
    claims,
    skipped: { three: { kind: 'excluded', why: 'excluded by annotation kubekeeper.dev/snapshot' } },
  });
  await savePointCoveredBy(place.data, 'few', asked, ['one', 'two']);

  const whole = await place.plan('few', '--to', 'HEAD', '--into', 'few-whole');
  assert.deepEqual(
    whole.volumes?.map(({ claim, action, reason }) => [claim, action, action === 'empty' ? reason : '']),
    [
      ['one', 'restore', ''],
      ['three', 'empty', 'excluded by annotation kubekeeper.dev/snapshot'],
      ['two', 'restore', ''],
    ],
  );
  const only = await place.restore('few', '--to', 'HEAD', '--into', 'few-only', '--volumes', 'only');
  assert.deepEqual(
    made(only),
    ['create namespaces/few-only', 'create persistentvolumeclaims/one', 'create persistentvolumeclaims/two'],
    only.stderr,
  );
  assert.equal(only.code, 0);
  const named = ['--to', 'HEAD', '--into', 'few-named', '--volumes', 'one'];
  const plan = await place.plan('few', ...named);
  assert.deepEqual(
    plan.volumes?.map(({ claim, action, reason }) => `${claim} ${action} ${action === 'empty' ? reason : ''}`),
    ['one restore ', 'three empty --volumes names others', 'two empty --volumes names others'],
  );
  const some = await place.restore('few', ...named);
  assert.equal(some.code, 0, some.stderr);
  await world.node.waitForPod('few-named', 'web');
  assert.equal(await hashOf(world, 'few-named', 'web', '/one/file'), hash);
  assert.equal((await world.node.exec('few-named', 'web', ['ls', '/two'])).includes('file'), false);
  const none = await place.plan('few', '--to', 'HEAD', '--into', 'few-none', '--volumes', 'none');
  assert.deepEqual(
    new Set(none.volumes?.map(({ action, reason }) => `${action} ${reason}`)),
    new Set(['empty --volumes none']),
  );
  const wrong = await place.run('plan', 'few', '--to', 'HEAD', '--volumes', 'tow');
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /No claim "tow" is restored from this point; nothing was changed, did you mean "--volumes two"/,
  );
});

test('data that was promised and cannot be had makes no empty claim: each is named, and --volumes none makes them', {
  skip,
}, async () => {
  const { handle } = await makeSaved('lost');
  for (const name of ['failed', 'pending', 'pruned', 'unknown', 'silent']) await world.createClaim('lost', name);
  await place.archive('--namespaces', 'lost');
  await savePoint(place.data, 'lost', {
    claims: {
      data: { handle },
      failed: { state: 'failed', why: 'not ready after 10 min: no space left' },
      pending: { state: 'pending' },
      pruned: { state: 'pruned', handle: 'gone', prunedAt: '2026-11-01T00:00:00Z' },
      unknown: { handle: 'nobody-knows-this-handle' },
      silent: { volumeSnapshot: 'another' },
    },
  });
  const into = ['--to', 'HEAD', '--into', 'lost-copy'];
  const plan = await place.plan('lost', ...into);
  const said = new Map(plan.volumes?.map(({ claim, action, reason }) => [claim, `${action} ${reason}`]));
  assert.match(
    said.get('failed') ?? '',
    /^refuse its snapshot failed: not ready after 10 min: no space left; --volumes none makes/,
  );
  assert.match(said.get('pending') ?? '', /^refuse its snapshot was not ready yet/);
  assert.match(said.get('pruned') ?? '', /^refuse its snapshot was pruned on 2026-11-01/);
  assert.match(said.get('silent') ?? '', /^refuse no note says what became of snapshot saved-silent/);
  const { code, document, stderr } = await place.restore('lost', ...into);
  assert.equal(code, 3);
  assert.deepEqual(document?.left.map(({ ref }) => ref.name).sort(), ['failed', 'pending', 'pruned', 'silent'], stderr);
  const undone = document?.steps.filter(({ result }) => result !== 'done');
  assert.deepEqual(
    undone?.map(({ ref }) => ref.name),
    ['unknown'],
    stderr,
  );
  assert.match(undone?.[0]?.reason ?? '', /the driver does not have its snapshot: /);
  const claims = await world.cluster.kubectl(['get', 'pvc', '-n', 'lost-copy', '-o', 'name']);
  assert.equal(claims.trim(), 'persistentvolumeclaim/data');
  assert.deepEqual(await leftOver(world, 'lost-copy'), []);
  const none = await place.restore('lost', ...into, '--volumes', 'none');
  assert.equal(none.code, 0, none.stderr);

  const commit = await savePoint(place.data, 'lost', { claims: { data: { handle } } });
  await writeNote(place.data, 'lost', commit, '{"version": 1, "claims": {"../x": {}}}');
  const hostile = await place.run('plan', 'lost', ...into);
  assert.match(hostile.stderr, /Cannot read the data note on commit/);
  assert.equal((await place.run('plan', 'lost', ...into, '--volumes', 'none')).code, 0);
});

test('a driver without space is named while the restore waits, and with space it ends well', { skip }, async () => {
  const { hash, point } = await makeSaved('full');
  await remove('full');
  await world.node.faults.set({ call: 'CreateVolume', claim: 'full/data', ...OUT_OF_SPACE });
  const running = place.begin('full', '--to', point);
  const waiting = /waiting for the volume of data, which its driver makes: .*no space left in the pool/;
  await eventually('the reason', async () => waiting.test(running.told()));
  await world.node.faults.clear();
  const { code, document, stderr } = await running.ended;
  assert.deepEqual([code, document?.incomplete], [0, []], stderr);
  await world.node.waitForPod('full', 'web');
  assert.equal(await hashOf(world, 'full', 'web', '/data/file'), hash);
  assert.deepEqual(await leftOver(world, 'full'), []);
});

test('who may not make VolumeSnapshotContents is told so in one line, and no claim is made empty for it', {
  skip,
}, async () => {
  await makeSaved('rights');
  await remove('rights');
  const role = ['create', 'clusterrolebinding', 'rights-of-jane', '--clusterrole=admin', '--user=jane'];
  await world.cluster.kubectl(role);
  const { stdout } = await place.run('plan', 'rights', '--to', 'HEAD', '--as', 'jane');
  const told =
    /refuse {3}data {2}you may not create volumesnapshotcontents.snapshot.storage.k8s.io, through which snapshots come back; --volumes none makes the claim empty/;
  assert.match(stdout, told);
});

test('a restore that is killed anywhere is gone on with to the same end, and leaves nothing behind', {
  skip,
}, async () => {
  const { hash, handle, point } = await makeSaved('killed');
  for (let round = 0; round < 4; round++) {
    await remove('killed');
    const running = place.begin('killed', '--to', point);
    await eventually('the claims to be begun', async () => (await running.waves()).includes('claims'));
    await new Promise((resolve) => setTimeout(resolve, round * 500));
    await running.kill();
    const resumed = await place.restore('killed', '--resume');
    const isOver = /No restore of "killed" .* was stopped/.test(resumed.stderr);
    assert.ok(isOver || resumed.code === 0, `round ${round}: ${resumed.stderr}`);
    await world.node.waitForPod('killed', 'web');
    assert.equal(await hashOf(world, 'killed', 'web', '/data/file'), hash);
    assert.deepEqual(await leftOver(world, 'killed'), [], `round ${round}`);
    assert.ok((await world.node.snapshots()).some((one) => one.handle === handle));
  }
});

test('members of a group come back one by one, and with their group where the driver knows them only so', {
  skip,
}, async () => {
  await world.createNamespace('pair');
  for (const name of ['one', 'two']) await world.createClaim('pair', name, { labels: { app: 'pair' } });
  await world.runPod('pair', 'web', ['one', 'two']);
  const hash = await writeRandom(world, 'pair', 'web', '/two/file');
  await world.cluster.apply(groupSnapshot('pair', 'both', { app: 'pair' }));
  await world.waitFor('pair', 'volumegroupsnapshot/both', '.status.readyToUse', 'true');
  const members = (await world.node.snapshots()).filter((one) => one.claim.startsWith('pair/'));
  const saved = members.map(({ claim, handle, group }) => [
    claim.slice('pair/'.length),
    { handle, groupHandle: group, group: 'both' },
  ]);
  await place.archive('--namespaces', 'pair');
  const point = await savePoint(place.data, 'pair', { claims: Object.fromEntries(saved) });
  const alone = await place.restore('pair', '--to', point, '--into', 'pair-alone');
  assert.equal(alone.code, 0, alone.stderr);
  await world.node.waitForPod('pair-alone', 'web');
  assert.equal(await hashOf(world, 'pair-alone', 'web', '/two/file'), hash);

  const groups = () => world.cluster.kubectl(['get', 'volumegroupsnapshotcontents', '-o', 'name']);
  await world.node.faults.set({
    call: 'ListSnapshots',
    code: 'INVALID_ARGUMENT',
    message: 'it is a member of a group',
  });
  const running = place.begin('pair', '--to', point, '--into', 'pair-group');
  try {
    await eventually('the group to be named', async () => (await groups()).includes('kubekeeper-restore-'), 90_000);
  } finally {
    await world.node.faults.clear();
  }
  const { code, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  await world.node.waitForPod('pair-group', 'web');
  assert.equal(await hashOf(world, 'pair-group', 'web', '/two/file'), hash);
  assert.equal((await groups()).includes('kubekeeper-restore-'), false);
  assert.deepEqual(await leftOver(world, 'pair-group'), []);
});

test("a note that names another namespace's snapshot brings nothing of it back", { skip }, async () => {
  for (const name of ['payroll', 'curious']) {
    await world.createNamespace(name);
    await world.createClaim(name, 'data');
  }
  await world.waitFor('payroll', 'pvc/data', '.status.phase', 'Bound');
  const handle = await world.snapshot('payroll', 'secret', 'data', 'btrfs-retain');
  await place.archive('--namespaces', 'curious');
  await savePoint(place.data, 'curious', { claims: { data: { handle } } });
  await world.cluster.kubectl(['delete', 'namespace', 'curious', '--timeout=60s']);
  const { code, stderr, stdout } = await place.run('restore', 'curious', '--to', 'HEAD', '--yes');
  assert.equal(code, 3, stderr);
  assert.match(stdout + stderr, /the snapshot that the note names for it is one of namespace "payroll"/);
  assert.equal(await world.cluster.kubectl(['get', 'pvc', '-n', 'curious', '-o', 'name']), '');
  assert.deepEqual(await leftOver(world, 'curious'), []);
});
