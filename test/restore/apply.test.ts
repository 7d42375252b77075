import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { arrayAt, type JsonObject, type KubeObject, objectAt, stringAt } from '../../controller/core/object.ts';
import type { PlannedRestore } from '../../controller/restore/work.ts';
import { planByHand, type Wanted } from './hand-plan.ts';
import { type Restored, restore } from './restoring.ts';
import { smallWorld } from './small-world.ts';
import { map, space, startTarget, type TargetCluster, until } from './target-cluster.ts';

/** Carrying out a plan on a real control plane: in order, waiting with reasons, naming what was not done. */

let held: TargetCluster;
let cluster: TargetCluster['cluster'];
let target: TargetCluster['target'];
let live: TargetCluster['live'];
before(async () => {
  held = await startTarget();
  ({ cluster, target, live } = held);
});
after(() => held?.[Symbol.asyncDispose]());

async function clusterIpOf(name: string): Promise<string> {
  const service = await live(`/api/v1/namespaces/default/services/${name}`);
  return stringAt(objectAt(service, 'spec'), 'clusterIP') ?? '';
}

async function arrange(...objects: readonly Wanted[]): Promise<void> {
  for (const { object } of objects) await cluster.apply(object);
}

function results(restored: Restored): Record<string, string> {
  return Object.fromEntries([...restored.ends].map(([name, { result }]) => [name, result]));
}

function reasonOf({ ends }: Restored, name: string): string {
  return ends.get(name)?.reason ?? '';
}

test('an object of every wave comes back in order, and what is read back is what was wanted', async () => {
  const wanted = smallWorld('whole');
  const said: string[] = [];
  const line = {
    making: async () => void said.push('making'),
    made: async (uid: string) => void said.push(uid),
  };
  const restored = await restore(target, wanted, { line });
  assert.deepEqual(restored.done.counts, { ...NOTHING, done: wanted.length });
  assert.deepEqual(restored.readBack, { equal: wanted.length, different: [] });
  const waves = restored.events.flatMap((event) => (event.type === 'wave' ? [event.wave] : []));
  assert.deepEqual(waves, [
    'definitions',
    'namespaces',
    'limits',
    'rights',
    'accounts',
    'configuration',
    'network',
    'custom',
    'workloads',
    'scaling',
    'schedules',
  ]);
  assert.deepEqual(said, ['making', (await live('/api/v1/namespaces/whole'))?.metadata['uid']]);
  const owned = await live('/api/v1/namespaces/whole/configmaps/owned');
  const owner = await live('/apis/whole.restore.test/v1/namespaces/whole/gadgets/gadget-1');
  const [reference] = arrayAt(owned?.metadata, 'ownerReferences');
  assert.equal(stringAt(reference, 'uid'), owner?.metadata['uid']);
  assert.equal((reference as JsonObject)['controller'], true);
  assert.deepEqual(owned?.metadata['finalizers'], ['restore.test/kept']);
  assert.deepEqual([restored.record.late, restored.record.closed], [[], 'finished']);
  const again = await planByHand(target, wanted);
  assert.deepEqual(again.plan.steps, []);
});

const NOTHING = { done: 0, failed: 0, 'timed-out': 0, moved: 0, blocked: 0, 'not-begun': 0 };

test('a namespace that is being deleted is waited for, what holds it is said, and once it is gone it is made again', async () => {
  const held = {
    ...map('stuck', 'held').object,
    metadata: { name: 'held', namespace: 'stuck', finalizers: ['restore.test/hold'] },
  };
  await arrange(space('stuck'), { object: held });
  const before_ = await live('/api/v1/namespaces/stuck');
  await cluster.request('DELETE', '/api/v1/namespaces/stuck');
  await until('the namespace to say what holds it', async () =>
    JSON.stringify(await live('/api/v1/namespaces/stuck')).includes('restore.test/hold'),
  );
  let told = '';
  const restored = await restore(target, [space('stuck'), map('stuck', 'app')], {
    onEvent: (event) => {
      if (event.type !== 'waiting' || told !== '') return;
      told = event.for;
      const removal = [{ op: 'remove', path: '/metadata/finalizers' }];
      void cluster.request('PATCH', '/api/v1/namespaces/stuck/configmaps/held', removal, 'application/json-patch+json');
    },
  });
  assert.match(told, /Namespace stuck to be gone, held by .*restore\.test\/hold/);
  assert.deepEqual(results(restored), { 'namespaces/stuck': 'done', 'configmaps/app': 'done' });
  assert.notEqual((await live('/api/v1/namespaces/stuck'))?.metadata['uid'], before_?.metadata['uid']);
});

test('a namespace that stays held ends its step at the deadline, and what needs it says so', async () => {
  const held = {
    ...map('forever', 'held').object,
    metadata: { name: 'held', namespace: 'forever', finalizers: ['restore.test/hold'] },
  };
  await arrange(space('forever'), { object: held });
  await cluster.request('DELETE', '/api/v1/namespaces/forever');
  const wanted = [space('forever'), map('forever', 'app'), map('default', 'elsewhere')];
  const restored = await restore(target, wanted, { limits: { goneMs: 1500 } });
  assert.deepEqual(results(restored), {
    'namespaces/forever': 'timed-out',
    'configmaps/app': 'blocked',
    'configmaps/elsewhere': 'done',
  });
  assert.match(reasonOf(restored, 'namespaces/forever'), /waited for Namespace forever to be gone/);
  assert.match(reasonOf(restored, 'configmaps/app'), /needs namespaces\/forever/);
  const removal = [{ op: 'remove', path: '/metadata/finalizers' }];
  await cluster.request('PATCH', '/api/v1/namespaces/forever/configmaps/held', removal, 'application/json-patch+json');
});

test('a quota that is exceeded fails the steps beyond it with its name, and no other', async () => {
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'few', namespace: 'small' },
    spec: { hard: { 'count/configmaps': '3' } },
  };
  const maps = Array.from({ length: 6 }, (_, index) => map('small', `app-${index}`));
  const secret = {
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'small' },
      type: 'Opaque',
      data: { a: 'Yg==' },
    },
  };
  await arrange(space('small'), { object: quota });
  const isCounted = async () =>
    /"used":/.test(JSON.stringify(await live('/api/v1/namespaces/small/resourcequotas/few')));
  await until('the quota to be counted', isCounted);
  const restored = await restore(target, [...maps, secret]);
  assert.equal(restored.ends.get('secrets/keys')?.result, 'done');
  const failed = [...restored.ends.values()].filter(({ result }) => result === 'failed');
  assert.ok(failed.length >= 3 && failed.length <= 4, `${failed.length} failed`);
  for (const { reason } of failed) assert.match(reason ?? '', /exceeded quota: few/);
});

test('an address that somebody else has by now is given out anew, and the step says so', async () => {
  const service = (name: string, clusterIP: string): Wanted => ({
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: {
        clusterIP,
        clusterIPs: [clusterIP],
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        selector: { app: 'web' },
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
    },
    fallbacks: [{ pointers: ['/spec/clusterIP', '/spec/clusterIPs'], note: 'clusterIP is given out anew' }],
  });
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'first', namespace: 'default' },
    spec: { ports: [{ port: 80 }] },
  });
  const taken = await clusterIpOf('first');
  const restored = await restore(target, [service('second', taken)]);
  const end = restored.ends.get('services/second');
  assert.deepEqual([end?.result, end?.notes], ['done', ['clusterIP is given out anew']]);
  const given = await clusterIpOf('second');
  assert.notEqual(given, taken);
  const free = given.replace(/\d+$/, '200');
  const kept = await restore(target, [service('third', free)]);
  assert.deepEqual(kept.ends.get('services/third')?.notes, []);
  assert.equal(await clusterIpOf('third'), free);
});

test('what somebody changed, made or deleted after the plan is left as it is, and told as moved', async () => {
  await arrange(space('moved'), map('moved', 'changed'), map('moved', 'gone'), map('moved', 'kept'));
  const planned = await planByHand(target, [
    map('moved', 'changed', { key: 'restored' }),
    { ...map('moved', 'made', { key: 'restored' }), finalizers: ['restore.test/kept'] },
    map('moved', 'gone', { key: 'restored' }),
    map('moved', 'kept', { key: 'restored' }),
  ]);
  const stale = (await target.get(
    { group: '', version: 'v1', plural: 'configmaps', namespaced: true },
    { namespace: 'moved', name: 'changed' },
  )) as KubeObject;
  await arrange(map('moved', 'made', { key: 'theirs' }), map('moved', 'changed', { key: 'theirs' }));
  await cluster.request('DELETE', '/api/v1/namespaces/moved/configmaps/gone');
  const guarded = {
    ...planned,
    // The flow itself must not overwrite either: the version that was planned for is in the patch.
    work: async (step: Parameters<typeof planned.work>[0], options?: { adopt?: boolean }) => {
      const work = await planned.work(step, options);
      if (step.ref.name !== 'changed' || work.do !== 'update') return work;
      const [guard, ...operations] = work.operations;
      return { ...work, operations: [{ ...guard, value: stale.metadata['resourceVersion'] } as never, ...operations] };
    },
  };
  const restored = await restore(target, guarded);
  assert.deepEqual(results(restored), {
    'configmaps/changed': 'moved',
    'configmaps/made': 'moved',
    'configmaps/gone': 'moved',
    'configmaps/kept': 'done',
  });
  assert.deepEqual([restored.record.late, restored.done.incomplete], [[], 0]);
  assert.equal((await live('/api/v1/namespaces/moved/configmaps/made'))?.metadata['finalizers'], undefined);
  for (const name of ['made', 'changed'])
    assert.deepEqual((await live(`/api/v1/namespaces/moved/configmaps/${name}`))?.['data'], { key: 'theirs' });
});

test('what others write meanwhile elsewhere in an object does not keep an update from being done', async () => {
  await arrange(space('busy'), map('busy', 'app'));
  const planned = await planByHand(target, [map('busy', 'app', { key: 'restored' })]);
  let writes = 0;
  const raced: PlannedRestore = {
    ...planned,
    work: async (step, options) => {
      const work = await planned.work(step, options);
      if (writes++ < 3) await annotate('/api/v1/namespaces/busy/configmaps/app', `${writes}`);
      return work;
    },
  };
  const restored = await restore(target, raced);
  assert.equal(restored.ends.get('configmaps/app')?.result, 'done', reasonOf(restored, 'configmaps/app'));
  assert.equal(writes, 4);
  assert.deepEqual((await live('/api/v1/namespaces/busy/configmaps/app'))?.['data'], { key: 'restored' });
});

async function annotate(path: string, value: string): Promise<void> {
  const body = { metadata: { annotations: { 'restore.test/count': value } } };
  const { status } = await cluster.request('PATCH', path, body, 'application/merge-patch+json');
  assert.equal(status, 200);
}

test('a replacement is in the journal before it deletes, and the object comes back as another one', async () => {
  const immutable = (key: string): Wanted => ({
    object: { ...map('default', 'fixed', { key }).object, immutable: true },
    replace: 'Background',
  });
  await arrange(immutable('old'));
  const before_ = await live('/api/v1/namespaces/default/configmaps/fixed');
  const restored = await restore(target, [immutable('new')]);
  assert.deepEqual(results(restored), { 'configmaps/fixed': 'done' });
  const after_ = await live('/api/v1/namespaces/default/configmaps/fixed');
  assert.deepEqual(after_?.['data'], { key: 'new' });
  assert.notEqual(after_?.metadata['uid'], before_?.metadata['uid']);
  const step = restored.record.steps.get('default configmaps/fixed');
  assert.deepEqual([step?.action, step?.path, step?.result], ['replace', 'configmaps/fixed.json', 'done']);
});

test('deletions come after everything else', async () => {
  await arrange(space('pruned'), map('pruned', 'extra'));
  const wanted: Wanted[] = [map('pruned', 'app'), { ...map('pruned', 'extra'), remove: true }];
  const restored = await restore(target, wanted);
  assert.deepEqual(results(restored), { 'configmaps/app': 'done', 'configmaps/extra': 'done' });
  const waves = restored.events.flatMap((event) => (event.type === 'wave' ? [event.wave] : []));
  assert.deepEqual(waves, ['configuration', 'deletions']);
  assert.equal(await live('/api/v1/namespaces/pruned/configmaps/extra'), undefined);
  assert.deepEqual(restored.readBack, { equal: 2, different: [] });
});

test('an abort lets what runs end, begins nothing more, and the same plan made again does the rest', async () => {
  const wanted = smallWorld('aborted');
  const abort = new AbortController();
  const stopped = await restore(target, wanted, {
    signal: abort.signal,
    onEvent: (event) => event.type === 'wave' && event.wave === 'configuration' && abort.abort(),
  });
  assert.equal(stopped.done.stoppedBy, 'abort');
  assert.equal(stopped.record.closed, 'stopped');
  assert.ok(stopped.done.counts['not-begun'] > 0 && stopped.done.counts.failed === 0, JSON.stringify(stopped.done));
  assert.equal(stopped.ends.size, wanted.length);
  const resumed = await restore(target, wanted, { late: stopped.record.late });
  assert.equal(resumed.done.counts.done, wanted.length - stopped.done.counts.done);
  assert.deepEqual((await planByHand(target, wanted)).plan.steps, []);
});

test('an owner that never comes leaves its object named as incomplete', async () => {
  const owners = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' }];
  await arrange(space('orphans'));
  const restored = await restore(target, [{ ...map('orphans', 'child'), owners }], { limits: { ownerMs: 300 } });
  assert.equal(restored.done.incomplete, 1);
  const told = restored.events.find((event) => event.type === 'incomplete');
  assert.deepEqual(told, {
    type: 'incomplete',
    object: 'configmaps/child',
    reason: 'its owner does not live: Deployment nobody',
  });
});
