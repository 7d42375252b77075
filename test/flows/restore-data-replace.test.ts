import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import { hashOf, leftOver, savePoint, writeRandom } from '../restore-data/saved.ts';
import { eventually, git } from './keeper.ts';
import { applyAll, object, openPlace, type Place } from './restoring.ts';

/** The data of claims that live is replaced where it was asked for: who uses them stands still, and what was there before is saved. */

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

const labels = { app: 'web' };

function workload(kind: 'Deployment' | 'StatefulSet', namespace: string, spec: object = {}) {
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  const container = { name: 'main', image: world.node.busybox, imagePullPolicy: 'Never', volumeMounts };
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const template = {
    metadata: { labels },
    spec: { terminationGracePeriodSeconds: 1, containers: [container], volumes },
  };
  return object('apps/v1', kind, namespace, 'web', {
    spec: { replicas: 1, selector: { matchLabels: labels }, template, ...spec },
  });
}

async function podOf(namespace: string): Promise<string> {
  return await eventually('a pod to run', async () => {
    const found = await world.cluster.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']);
    const pods = (
      JSON.parse(found) as {
        items: { metadata: { name: string; deletionTimestamp?: string }; status: { phase: string } }[];
      }
    ).items;
    return pods.find(({ metadata, status }) => status.phase === 'Running' && metadata.deletionTimestamp === undefined)
      ?.metadata.name;
  });
}

/** A namespace whose claim has other data by now than its restore point. */
async function makeChanged(name: string, of: object) {
  await world.createNamespace(name);
  await world.createClaim(name, 'data');
  await applyAll(world.cluster, [of]);
  const pod = await podOf(name);
  await world.node.waitForPod(name, pod);
  const before = await writeRandom(world, name, pod, '/data/file');
  const handle = await world.snapshot(name, 'before', 'data', 'btrfs-retain');
  await place.archive('--namespaces', name);
  const point = await savePoint(place.data, name, { claims: { data: { handle } } });
  const now = await writeRandom(world, name, pod, '/data/file');
  return { pod, before, now, handle, point };
}

const volumeOf = (namespace: string) => world.read(namespace, 'pvc/data', '.spec.volumeName');

test('the data of a Deployment is put back in place: it stands still, the old volume goes, what it had is a snapshot of the safety point', {
  skip,
}, async () => {
  const { pod, before, now, point } = await makeChanged('swap', workload('Deployment', 'swap'));
  const old = await volumeOf('swap');
  const kept = await place.plan('swap', '--to', point);
  assert.equal(kept.volumes?.[0]?.action, 'keep');
  assert.match(kept.volumes?.[0]?.reason ?? '', /--existing-data replace brings back what was cut with this commit/);

  const asked = ['--to', point, '--existing-data', 'replace'];
  const plan = await place.plan('swap', ...asked);
  assert.deepEqual(plan.volumes?.[0]?.workloads, ['deployments.apps/web']);
  const { code, document, stderr } = await place.restore('swap', ...asked);
  assert.deepEqual([code, document?.incomplete, document?.different], [0, [], []], stderr);
  const next = await podOf('swap');
  assert.notEqual(next, pod);
  await world.node.waitForPod('swap', next);
  assert.equal(await hashOf(world, 'swap', next, '/data/file'), before);
  assert.notEqual(await volumeOf('swap'), old);
  await eventually('the old volume to be gone', async () => {
    const volumes = await world.cluster.kubectl(['get', 'pv', '-o', 'name']);
    return !volumes.includes(old);
  });
  assert.deepEqual(await leftOver(world, 'swap'), []);

  const safety = document?.safetyTag ?? '';
  const note = await git(place.data, 'swap', 'notes', '--ref=data', 'show', `${safety}^{commit}`);
  const record = (JSON.parse(note) as { claims: { data: { state: string } } }).claims.data;
  assert.equal(record.state, 'ready');
  const back = await place.restore('swap', '--to', safety, '--existing-data', 'replace');
  assert.equal(back.code, 0, back.stderr);
  const last = await podOf('swap');
  await world.node.waitForPod('swap', last);
  assert.equal(await hashOf(world, 'swap', last, '/data/file'), now);
});

test('nothing is replaced under a bare pod, a Job, or a StatefulSet that deletes its claims; the plan says what to do', {
  skip,
}, async () => {
  await world.createNamespace('held');
  await world.createClaim('held', 'data');
  await world.runPod('held', 'alone', ['data']);
  const handle = await world.snapshot('held', 'before', 'data', 'btrfs-retain');
  await place.archive('--namespaces', 'held');
  const point = await savePoint(place.data, 'held', { claims: { data: { handle } } });
  const asked = ['--to', point, '--existing-data', 'replace'];
  const reasonOf = async () => {
    const [volume] = (await place.plan('held', ...asked)).volumes ?? [];
    return `${volume?.action} ${volume?.reason}`;
  };
  assert.match(
    await reasonOf(),
    /^refuse pod alone, which nothing makes again, uses it: delete the pod first; what lives is left as it is/,
  );
  const { code, stderr } = await place.restore('held', ...asked);
  assert.equal(code, 3, stderr);
  await world.remove('held', 'pod/alone');
  const policy = { whenScaled: 'Delete', whenDeleted: 'Retain' };
  await applyAll(world.cluster, [
    workload('StatefulSet', 'held', { serviceName: 'web', persistentVolumeClaimRetentionPolicy: policy }),
  ]);
  await podOf('held');
  assert.match(await reasonOf(), /^refuse statefulsets.apps\/web cannot be scaled to 0: it deletes its claims/);
  await world.remove('held', 'statefulset/web');
  const job = workload('Deployment', 'held') as unknown as { spec: { template: { spec: object } } };
  await applyAll(world.cluster, [
    object('batch/v1', 'Job', 'held', 'import', {
      spec: { template: { spec: { ...job.spec.template.spec, restartPolicy: 'Never' } } },
    }),
  ]);
  await podOf('held');
  assert.match(await reasonOf(), /^refuse a pod of Job import uses it, which cannot be scaled to 0/);
});

test('where the snapshot cannot be used, or what lives cannot be saved first, nothing is stopped and nothing replaced', {
  skip,
}, async () => {
  const { pod, now, point } = await makeChanged('safe', workload('Deployment', 'safe'));
  const lost = await savePoint(place.data, 'safe', { claims: { data: { handle: 'nobody-knows-this' } } });
  const unknown = await place.restore('safe', '--to', lost, '--existing-data', 'replace');
  assert.equal(unknown.code, 3, unknown.stderr);
  assert.match(
    unknown.document?.incomplete[0]?.reason ?? '',
    /its data was not replaced: data: the driver does not have its snapshot/,
  );
  assert.deepEqual(await leftOver(world, 'safe'), []);
  await world.node.faults.set({ call: 'CreateSnapshot', claim: 'safe/data', code: 'INTERNAL' });
  try {
    const unsafe = place.begin('safe', '--to', point, '--existing-data', 'replace');
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    await unsafe.kill();
  } finally {
    await world.node.faults.clear();
  }
  assert.equal(await podOf('safe'), pod);
  assert.equal(await hashOf(world, 'safe', pod, '/data/file'), now);
});

test('a replacement that is killed anywhere is gone on with to the same end', { skip }, async () => {
  const { before, point, handle } = await makeChanged('cut', workload('Deployment', 'cut'));
  for (let round = 0; round < 6; round++) {
    await writeRandom(world, 'cut', await podOf('cut'), '/data/file');
    const running = place.begin('cut', '--to', point, '--existing-data', 'replace');
    await eventually(
      'the workload to be scaled',
      async () => (await running.journal()).includes('"type":"scaled"'),
      60_000,
    );
    await new Promise((resolve) => setTimeout(resolve, round * 300));
    await running.kill();
    const resumed = await place.restore('cut', '--resume');
    const isOver = /No restore of "cut" .* was stopped/.test(resumed.stderr);
    assert.ok(isOver || resumed.code === 0, `round ${round}: ${resumed.stderr}`);
    const pod = await podOf('cut');
    await world.node.waitForPod('cut', pod);
    assert.equal(await hashOf(world, 'cut', pod, '/data/file'), before, `round ${round}`);
    assert.deepEqual(await leftOver(world, 'cut'), [], `round ${round}`);
    assert.ok((await world.node.snapshots()).some((one) => one.handle === handle));
    await eventually('one volume to be left', async () => {
      const volumes = await world.cluster.kubectl(['get', 'pv', '-o', 'jsonpath={.items[*].spec.claimRef.namespace}']);
      return volumes.split(' ').filter((name) => name === 'cut').length === 1;
    });
  }
});

test('the claims of a StatefulSet are replaced together, also where their class waits for the pods', {
  skip,
}, async () => {
  await world.createNamespace('set');
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  const container = { name: 'main', image: world.node.busybox, imagePullPolicy: 'Never', volumeMounts };
  const spec = {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'btrfs-wait',
    resources: { requests: { storage: '64Mi' } },
  };
  const set = object('apps/v1', 'StatefulSet', 'set', 'web', {
    spec: {
      ...{ replicas: 2, serviceName: 'web', podManagementPolicy: 'Parallel', selector: { matchLabels: labels } },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec }],
    },
  });
  await applyAll(world.cluster, [set]);
  const hashes: string[] = [];
  const claims: Record<string, { handle: string }> = {};
  for (const pod of ['web-0', 'web-1']) {
    await world.node.waitForPod('set', pod);
    hashes.push(await writeRandom(world, 'set', pod, '/data/file'));
    claims[`data-${pod}`] = { handle: await world.snapshot('set', `of-${pod}`, `data-${pod}`, 'btrfs-retain') };
  }
  await place.archive('--namespaces', 'set');
  const point = await savePoint(place.data, 'set', { claims });
  for (const pod of ['web-0', 'web-1']) await writeRandom(world, 'set', pod, '/data/file');

  const { code, stderr, document } = await place.restore('set', '--to', point, '--existing-data', 'replace');
  assert.deepEqual([code, document?.incomplete, document?.different], [0, [], []], stderr);
  for (const [index, pod] of ['web-0', 'web-1'].entries()) {
    await world.node.waitForPod('set', pod);
    assert.equal(await hashOf(world, 'set', pod, '/data/file'), hashes[index]);
  }
  assert.deepEqual(await leftOver(world, 'set'), []);
});
