import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../controller/cluster/connect.ts';
import { openRestoreTarget } from '../../controller/cluster/open-restore-target.ts';
import { readRestore, unfinishedRestore } from '../../controller/git/restore-journal.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { temporaryDirectory } from '../flows/keeper.ts';
import { planByHand, type Wanted } from './hand-plan.ts';
import { type Restored, restore } from './restoring.ts';
import { smallWorld } from './small-world.ts';
import { map, space, startTarget, type TargetCluster, until } from './target-cluster.ts';
import { startWebhook } from './webhook.ts';

/** A restore while things fail: nothing is half-done without being named, and going on reaches the same end. */

let held: TargetCluster;
let cluster: TargetCluster['cluster'];
let target: TargetCluster['target'];
let live: TargetCluster['live'];
before(async () => {
  held = await startTarget({ controllerManager: false });
  ({ cluster, target, live } = held);
});
after(() => held?.[Symbol.asyncDispose]());

function resultOf({ ends }: Restored, name: string) {
  const end = ends.get(name);
  return [end?.result, end?.reason ?? ''] as const;
}

/** What an undisturbed restore leaves. */
async function assertWhole(name: string, wanted: readonly Wanted[]): Promise<void> {
  assert.deepEqual((await planByHand(target, wanted)).plan.steps, []);
  const owned = await live(`/api/v1/namespaces/${name}/configmaps/owned`);
  const owner = await live(`/apis/${name}.restore.test/v1/namespaces/${name}/gadgets/gadget-1`);
  const owners = owned?.metadata['ownerReferences'] as { uid: string }[] | undefined;
  assert.deepEqual(
    owners?.map(({ uid }) => uid),
    [owner?.metadata['uid']],
  );
  assert.deepEqual(owned?.metadata['finalizers'], ['restore.test/kept']);
}

test('what a webhook refuses fails alone and names the webhook, without words about a Secret', async () => {
  await restore(target, [space('guarded')]);
  await using webhook = await startWebhook(cluster, 'guarded');
  const secret: Wanted = {
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'guarded' },
      type: 'Opaque',
      data: { a: 'denyhunter2x' },
    },
  };
  await untilDenied('guarded');
  const restored = await restore(target, [map('guarded', 'good'), map('guarded', 'bad', { key: 'deny-me' }), secret]);
  assert.equal(resultOf(restored, 'configmaps/good')[0], 'done');
  const [result, reason] = resultOf(restored, 'configmaps/bad');
  assert.equal(result, 'failed');
  assert.match(reason, new RegExp(`webhook ${webhook.name} refuses: the value deny-me`));
  const [secretResult, secretReason] = resultOf(restored, 'secrets/keys');
  assert.equal(secretResult, 'failed');
  assert.match(secretReason, new RegExp(webhook.name));
  assert.doesNotMatch(JSON.stringify(restored), /hunter2/);
});

test('a webhook that does not answer is waited for, with a reason, and then everything is done', async () => {
  await restore(target, [space('waiting')]);
  await using webhook = await startWebhook(cluster, 'waiting');
  await untilDenied('waiting');
  await webhook.stop();
  let told = '';
  const restored = await restore(target, [map('waiting', 'app'), map('waiting', 'other')], {
    onEvent: (event) => {
      if (event.type !== 'waiting' || told !== '') return;
      told = event.for;
      void webhook.start();
    },
  });
  assert.match(told, new RegExp(`a webhook to answer: .*${webhook.name}`));
  assert.equal(restored.done.counts.done, 2);
});

test('a webhook that does not answer is asked a few times about the first object and once about each other', async () => {
  await restore(target, [space('asked')]);
  await using webhook = await startWebhook(cluster, 'asked');
  await untilDenied('asked');
  await webhook.stop();
  await using proxy = await startFaultProxy(cluster);
  await using through = await connect({ kubeconfig: proxy.kubeconfig });
  const asking = openRestoreTarget(through);
  const resource = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
  for (let index = 0; index < 5; index++) {
    const answer = await asking.create(resource, map('asked', `app-${index}`).object, { dryRun: true });
    assert.match(answer.ok ? '' : answer.refused.message, new RegExp(`failed calling webhook "${webhook.name}"`));
  }
  assert.equal(
    proxy.count(({ method }) => method === 'POST'),
    3 + 4,
  );
});

test('many who wait for the same webhook share one deadline, and each is named when it passes', async () => {
  await restore(target, [space('deadline')]);
  await using webhook = await startWebhook(cluster, 'deadline');
  await untilDenied('deadline');
  await webhook.stop();
  const wanted = Array.from({ length: 40 }, (_, index) => map('deadline', `app-${index}`));
  const started = performance.now();
  const restored = await restore(target, wanted, { limits: { readyMs: 1000 } });
  assert.equal(restored.done.counts['timed-out'], 40);
  assert.match(
    resultOf(restored, 'configmaps/app-0')[1],
    new RegExp(`waited for a webhook to answer: .*${webhook.name}`),
  );
  assert.ok(performance.now() - started < 20_000, `${performance.now() - started} ms`);
});

test('an API server that is killed in the middle changes nothing of the end', async () => {
  const wanted = smallWorld('restarted');
  let restarted: Promise<void> | undefined;
  const restored = await restore(target, wanted, {
    onEvent: (event) => {
      if (event.type === 'wave' && event.wave === 'configuration') restarted = cluster.restartApiServer('SIGKILL');
    },
  });
  await restarted;
  assert.equal(restored.done.counts.done, wanted.length, JSON.stringify(restored.done));
  await assertWhole('restarted', wanted);
});

test('429s, cut answers and errors of the server change nothing of the end', async () => {
  await using proxy = await startFaultProxy(cluster);
  await using through = await connect({ kubeconfig: proxy.kubeconfig });
  const path = /configmaps/;
  proxy.add({ path, method: 'POST', times: 3, action: { do: 'status', code: 429, retryAfterSeconds: 1 } });
  proxy.add({ path, method: 'POST', times: 4, action: { do: 'cut', afterBytes: 20 } });
  proxy.add({ path, method: 'POST', times: 3, action: { do: 'cut' } });
  proxy.add({ path, method: 'POST', times: 2, action: { do: 'status', code: 500 } });
  proxy.add({ path: /gadgets/, method: 'POST', times: 2, action: { do: 'cut', afterBytes: 20 } });
  proxy.add({ path, method: 'PATCH', times: 1, action: { do: 'cut', afterBytes: 20 } });
  const wanted = smallWorld('disturbed');
  const restored = await restore(openRestoreTarget(through), wanted);
  assert.equal(
    restored.done.counts.done,
    wanted.length,
    JSON.stringify([...restored.ends.values()].filter(({ result }) => result !== 'done')),
  );
  await assertWhole('disturbed', wanted);
});

test('a cluster that stays away ends the restore: every step is named, and what was not begun can be done later', async () => {
  await using proxy = await startFaultProxy(cluster);
  await using through = await connect({ kubeconfig: proxy.kubeconfig });
  const wanted = smallWorld('away');
  const brief = openRestoreTarget(through, { patienceMs: 300 });
  const restored = await restore(brief, wanted, {
    onEvent: (event) => {
      if (event.type === 'wave' && event.wave === 'network') proxy.add({ path: /./, action: { do: 'cut' } });
    },
  });
  assert.ok(typeof restored.done.stoppedBy === 'object' && restored.done.stoppedBy.code === 'CLUSTER_UNREACHABLE');
  assert.equal(restored.ends.size, wanted.length);
  assert.ok(restored.done.counts['not-begun'] > 0 && restored.done.counts.done > 0);
  await restore(target, wanted, { late: restored.record.late });
  await assertWhole('away', wanted);
});

const WAVES = ['definitions', 'namespaces', 'rights', 'configuration', 'custom', 'workloads', 'schedules'];

for (const wave of WAVES) {
  test(`killed in the wave of ${wave}, a restore that is planned again and gone on with reaches the same end`, async () => {
    await using place = await temporaryDirectory();
    const name = `killed-${wave}`;
    assert.equal(await runChild(place.path, ['one', name, wave]), 'SIGKILL');
    const unfinished = await unfinishedRestore(place.path, 'shop');
    assert.equal(unfinished?.header.id, 'one');
    const wanted = smallWorld(name);
    const resumed = await restore(target, wanted, { late: unfinished.late });
    assert.deepEqual(resumed.done.counts, { ...resumed.done.counts, failed: 0, moved: 0, blocked: 0, 'timed-out': 0 });
    assert.equal(resumed.done.incomplete, 0);
    await assertWhole(name, wanted);
  });
}

test('killed between the deletion and the creation of a replacement, the journal knows what was deleted', async () => {
  await using place = await temporaryDirectory();
  const wanted: readonly Wanted[] = [{ ...map('default', 'replaced', { key: 'new' }), replace: 'Background' }];
  await cluster.apply(map('default', 'replaced', { key: 'old' }).object);
  assert.equal(await runChild(place.path, ['two', 'default', 'deleted', JSON.stringify(wanted)]), 'SIGKILL');
  assert.equal(await live('/api/v1/namespaces/default/configmaps/replaced'), undefined);
  const record = await readRestore(place.path, 'two');
  const step = record?.steps.get('default configmaps/replaced');
  assert.deepEqual([step?.action, step?.path, step?.result], ['replace', 'configmaps/replaced.json', undefined]);
  assert.equal((await restore(target, wanted)).done.counts.done, 1);
  assert.deepEqual((await live('/api/v1/namespaces/default/configmaps/replaced'))?.['data'], { key: 'new' });
});

async function runChild(directory: string, args: readonly string[]): Promise<string | number | null> {
  const script = fileURLToPath(import.meta.resolve('./restoring-child.ts'));
  const child = spawn(process.execPath, [script, cluster.kubeconfig, directory, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal ?? code;
}

/** The API server learns of a webhook a moment after it was made. */
async function untilDenied(namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`;
  const { object } = map(namespace, 'probe', { key: 'deny' });
  await until('the webhook to be asked', async () => (await cluster.request('POST', path, object)).status === 403);
}
