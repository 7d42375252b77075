import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Outcome } from '../../controller/core/outcome.ts';
import { openSealer } from '../../controller/secrets/seal.ts';
import { file, git, paths, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { resource, ScriptedCluster } from '../flows/scripted-cluster.ts';
import { archiveScripted, committed, watchScripted } from './run.ts';

const namespaces = resource('namespaces', 'Namespace', { cluster: true });
const configMaps = resource('configmaps', 'ConfigMap');
const secrets = resource('secrets', 'Secret');
const deployments = resource('deployments', 'Deployment', { group: 'apps' });
const definitions = resource('customresourcedefinitions', 'CustomResourceDefinition', {
  group: 'apiextensions.k8s.io',
  cluster: true,
});
const widgets = resource('widgets', 'Widget', { group: 'shop.example' });

function configMap(name: string, data: object = { a: '1' }, namespace = 'shop') {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

function shop(maps = 3): ScriptedCluster {
  const cluster = new ScriptedCluster();
  cluster.resources = [namespaces, configMaps, secrets, deployments];
  cluster.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  for (let index = 0; index < maps; index++) cluster.apply(configMaps, configMap(`map-${index}`));
  return cluster;
}

test('the first archive is one commit per namespace, and the second makes none', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  const first = committed(await archiveScripted(cluster, directory.path));
  assert.deepEqual(
    first.map(({ repository, objects }) => [repository, objects]),
    [['shop', 4]],
  );
  assert.deepEqual(await subjects(directory.path, 'shop'), ['first archive of namespace shop: 4 objects']);
  assert.deepEqual(await paths(directory.path, 'shop'), [
    '.kubekeeper/archive.json',
    'configmaps/map-0.json',
    'configmaps/map-1.json',
    'configmaps/map-2.json',
    'namespaces/shop.json',
  ]);
  assert.deepEqual(committed(await archiveScripted(cluster, directory.path)), []);
  await git(directory.path, 'shop', 'fsck', '--strict', '--full');
});

test('changes while nobody watched are one commit, deletions included', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  cluster.delete(configMaps, 'shop', 'map-1');
  cluster.apply(configMaps, configMap('map-2', { a: '2' }));
  cluster.apply(configMaps, configMap('map-9'));
  await archiveScripted(cluster, directory.path);
  assert.equal(
    (await subjects(directory.path, 'shop'))[0],
    '3 objects: configmaps/map-1 deleted, configmaps/map-2 changed, configmaps/map-9 created',
  );
  const message = await git(directory.path, 'shop', 'log', '-1', '--format=%B');
  assert.match(message, /^changed configmaps\/map-2: data\.a 1 -> 2$/m);
});

test('each change that is watched is committed when its window closes', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  const run = watchScripted(cluster, directory.path);
  await run.until('the first commit', (outcome) => outcome.type === 'committed');
  const before = run.outcomes.length;
  cluster.apply(configMaps, configMap('map-0', { a: 'x' }));
  cluster.delete(configMaps, 'shop', 'map-1');
  await run.until('a second commit', (outcome) => outcome.type === 'committed', before);
  await run.stop();
  assert.equal(
    (await subjects(directory.path, 'shop'))[0],
    '2 objects: configmaps/map-0 changed, configmaps/map-1 deleted',
  );
});

test('a change that is taken back within its window makes no commit', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  const run = watchScripted(cluster, directory.path, { window: { silenceMs: 200, maximumMs: 500 } });
  await run.until('the first commit', (outcome) => outcome.type === 'committed');
  cluster.apply(configMaps, configMap('map-0', { a: 'x' }));
  cluster.apply(configMaps, configMap('map-0'));
  await new Promise((resolve) => setTimeout(resolve, 600));
  await run.stop();
  assert.equal((await subjects(directory.path, 'shop')).length, 1);
});

test('what is pending when the archive is stopped is committed before it ends', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  const run = watchScripted(cluster, directory.path, { window: { silenceMs: 60_000, maximumMs: 60_000 } });
  await run.until('the first lists', (outcome) => outcome.type === 'synced');
  await run.stop();
  assert.deepEqual(await subjects(directory.path, 'shop'), ['first archive of namespace shop: 4 objects']);
});

test('an object deleted and made again is told as made again', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  const run = watchScripted(cluster, directory.path);
  await run.until('the first commit', (outcome) => outcome.type === 'committed');
  const before = run.outcomes.length;
  cluster.delete(configMaps, 'shop', 'map-0');
  cluster.apply(configMaps, configMap('map-0', { a: 'again' }));
  await run.until('a second commit', (outcome) => outcome.type === 'committed', before);
  await run.stop();
  const message = await git(directory.path, 'shop', 'log', '-1', '--format=%B');
  assert.match(message, /^configmaps\/map-0: recreated, a 1 -> again$/m);
  assert.match(message, /^Recreated: configmaps\/map-0$/m);
});

test('a list that names less than half of a repository deletes nothing until a person agrees', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop(40);
  await archiveScripted(cluster, directory.path);
  for (let index = 0; index < 30; index++) cluster.delete(configMaps, 'shop', `map-${index}`);
  cluster.apply(configMaps, configMap('map-35', { a: 'changed' }));
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.deepEqual(
    outcomes.find((outcome) => outcome.type === 'held'),
    {
      type: 'held',
      repository: 'shop',
      deletions: 30,
      files: 42,
    },
  );
  assert.deepEqual((await subjects(directory.path, 'shop')).slice(0, 1), ['configmaps/map-35: a 1 -> changed']);
  assert.ok((await paths(directory.path, 'shop')).includes('configmaps/map-0.json'));
  const allowed = new Set(Array.from({ length: 30 }, (_, index) => `configmaps/map-${index}.json`));
  const ledger = { record: async () => undefined, allowed: () => allowed, forget: async () => undefined };
  cluster.delete(configMaps, 'shop', 'map-39');
  const more = await archiveScripted(cluster, directory.path, { ledger });
  assert.ok(
    more.some((outcome) => outcome.type === 'held' && outcome.deletions === 31),
    'the word was for thirty, not for one more',
  );
  cluster.apply(configMaps, configMap('map-39'));
  const last = await archiveScripted(cluster, directory.path, { ledger });
  assert.deepEqual(
    last.filter(({ type }) => type === 'allowed'),
    [{ type: 'allowed', repository: 'shop', deletions: 30 }],
  );
  assert.ok(!(await paths(directory.path, 'shop')).includes('configmaps/map-0.json'));
  assert.match(await git(directory.path, 'shop', 'log', '-1', '--format=%B'), /allowed by a person/);
});

test('held deletions end by themselves when the objects come back', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop(40);
  await archiveScripted(cluster, directory.path);
  const lost = Array.from({ length: 30 }, (_, index) => `map-${index}`);
  for (const name of lost) cluster.delete(configMaps, 'shop', name);
  const run = watchScripted(cluster, directory.path);
  await run.until('the deletions to be held', (outcome) => outcome.type === 'held');
  for (const name of lost.slice(5)) cluster.apply(configMaps, configMap(name));
  await run.until('the five that stay away', (outcome) => outcome.type === 'committed' && outcome.objects === 5);
  await run.stop();
  const left = await paths(directory.path, 'shop');
  assert.ok(!left.includes('configmaps/map-0.json'));
  assert.ok(left.includes('configmaps/map-29.json'));
});

test('a clock that jumps by a day moves no window and no commit out of order', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop(2);
  let jump = 0;
  const clock = { wall: () => Date.now() + jump, monotonic: () => performance.now() };
  const run = watchScripted(cluster, directory.path, { clock });
  await run.until('the first commit', (outcome) => outcome.type === 'committed');
  const day = 24 * 60 * 60 * 1000;
  for (const [step, by] of [day, -day, -2 * day, 2 * day, 0].entries()) {
    jump = by;
    const before = run.outcomes.length;
    const started = performance.now();
    cluster.apply(configMaps, configMap('map-0', { a: `step ${step}` }));
    await run.until(`step ${step}`, (outcome) => outcome.type === 'committed', before);
    assert.ok(performance.now() - started < 1000, 'the window waited for the wall clock');
  }
  await run.stop();
  const log = (await git(directory.path, 'shop', 'log', '--format=%ct %s')).trim().split('\n');
  const steps = log.filter((line) => line.includes('step')).map((line) => /-> "?step (\d)/.exec(line)?.[1]);
  assert.deepEqual(steps, ['4', '3', '2', '1', '0']);
  const times = log.map((line) => Number(line.split(' ')[0])).reverse();
  assert.deepEqual(
    times,
    [...times].sort((left, right) => left - right),
    'a commit is older than its parent',
  );
});

test('a namespace deleted while nobody watched says so, and the whole of it may go', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop(40);
  await archiveScripted(cluster, directory.path);
  cluster.delete(namespaces, undefined, 'shop');
  for (let index = 0; index < 40; index++) cluster.delete(configMaps, 'shop', `map-${index}`);
  await archiveScripted(cluster, directory.path);
  assert.equal((await subjects(directory.path, 'shop'))[0], 'namespace shop deleted: 41 objects went with it');
  assert.deepEqual(await paths(directory.path, 'shop'), ['.kubekeeper/archive.json']);
});

test('a resource that may not be read keeps its files and comes back', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  cluster.denied.add('configmaps');
  cluster.delete(configMaps, 'shop', 'map-0');
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.ok(outcomes.some((outcome) => outcome.type === 'skipped' && outcome.resource === 'configmaps'));
  assert.deepEqual(committed(outcomes), []);
  cluster.denied.clear();
  await archiveScripted(cluster, directory.path);
  assert.equal((await subjects(directory.path, 'shop'))[0], 'configmaps/map-0: deleted');
});

function withWidgets(count: number): ScriptedCluster {
  const cluster = shop();
  cluster.resources = [...cluster.resources, definitions, widgets];
  cluster.apply(definitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.shop.example' },
    spec: { group: 'shop.example' },
  });
  for (let index = 0; index < count; index++) {
    cluster.apply(widgets, {
      apiVersion: 'shop.example/v1',
      kind: 'Widget',
      metadata: { name: `w-${index}`, namespace: 'shop' },
    });
  }
  return cluster;
}

test('a custom resource whose definition went while nobody watched is told as that', async () => {
  await using directory = await temporaryDirectory();
  const cluster = withWidgets(50);
  await archiveScripted(cluster, directory.path);
  for (let index = 0; index < 50; index++) cluster.delete(widgets, 'shop', `w-${index}`);
  cluster.delete(definitions, undefined, 'widgets.shop.example');
  cluster.resources = cluster.resources.filter((one) => one !== widgets);
  await archiveScripted(cluster, directory.path);
  assert.equal(
    (await subjects(directory.path, 'shop'))[0],
    'CustomResourceDefinition widgets.shop.example deleted: 50 objects went with it',
  );
});

test('a resource that is no longer served keeps its files while its definition exists or its group is down', async () => {
  await using directory = await temporaryDirectory();
  const cluster = withWidgets(5);
  await archiveScripted(cluster, directory.path);
  cluster.resources = cluster.resources.filter((one) => one !== widgets);
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.ok(outcomes.some((outcome) => outcome.type === 'skipped' && outcome.resource === 'widgets.shop.example'));
  assert.deepEqual(committed(outcomes), []);
});

test('another version of a resource is a commit of its own, apart from what else changed', async () => {
  await using directory = await temporaryDirectory();
  const cluster = withWidgets(3);
  await archiveScripted(cluster, directory.path);
  const renewed = { ...widgets, version: 'v2' };
  cluster.resources = [...cluster.resources.filter((one) => one !== widgets), renewed];
  for (let index = 0; index < 3; index++) {
    cluster.apply(renewed, {
      apiVersion: 'shop.example/v2',
      kind: 'Widget',
      metadata: { name: `w-${index}`, namespace: 'shop' },
    });
  }
  cluster.apply(configMaps, configMap('map-0', { a: 'x' }));
  await archiveScripted(cluster, directory.path);
  assert.deepEqual((await subjects(directory.path, 'shop')).slice(0, 2), [
    'configmaps/map-0: a 1 -> x',
    'widgets.shop.example: archived as v2 from now on, was v1: 3 objects',
  ]);
  assert.match(await file(directory.path, 'shop', '.kubekeeper/archive.json'), /"widgets.shop.example": "v2"/);
});

test('a change of the rules is a commit of its own', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  cluster.apply(configMaps, configMap('map-0', { a: 'x', b: 'y' }));
  cluster.apply(configMaps, configMap('map-1', { a: '1', b: 'y' }));
  await archiveScripted(cluster, directory.path);
  cluster.apply(configMaps, configMap('map-1', { a: 'z', b: 'y' }));
  const rules = [
    { id: 'no-b', resources: ['configmaps'], pointer: '/data/b', verdict: 'strip' as const, reason: 'test' },
  ];
  await archiveScripted(cluster, directory.path, { rules });
  const log = await subjects(directory.path, 'shop');
  assert.equal(log[0], 'configmaps/map-1: a 1 -> z');
  assert.match(log[1] ?? '', /^rules \S+ -> \S+: 2 files rewritten$/);
});

test('a data directory of another cluster is refused and untouched', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  await assert.rejects(
    archiveScripted(cluster, directory.path, { clusterId: 'cluster-2' }),
    /belongs to the cluster cluster-1/,
  );
  assert.equal((await subjects(directory.path, 'shop')).length, 1);
});

test('a thousand resyncs of an unchanged Secret make no commit, sealed in any way', async () => {
  const recipients = [await identityToRecipient(await generateX25519Identity())];
  for (const policy of ['fingerprint', 'encrypt', 'omit'] as const) {
    await using directory = await temporaryDirectory();
    const cluster = shop(0);
    const data = { password: Buffer.from('x').toString('base64') };
    cluster.apply(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace: 'shop' }, data });
    const sealer = await openSealer({ policy, dataDirectory: directory.path, recipients });
    const run = watchScripted(cluster, directory.path, { sealer, window: { silenceMs: 0, maximumMs: 0 } });
    await run.until('the first commit', (outcome) => outcome.type === 'committed');
    for (let resync = 0; resync < 1000; resync++) cluster.relist(secrets);
    const isListed = (outcome: Outcome) => outcome.type === 'listed' && outcome.resource === 'secrets';
    while (run.outcomes.filter(isListed).length < 1001) await new Promise((resolve) => setTimeout(resolve, 5));
    await run.stop();
    assert.equal((await subjects(directory.path, 'shop')).length, 1, policy);
  }
});

test('a repository that many windows filled is consolidated by itself, and says so', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop(5);
  const run = watchScripted(cluster, directory.path, { window: { silenceMs: 0, maximumMs: 0 } });
  await run.until('the first commit', (outcome) => outcome.type === 'committed');
  for (let round = 0; round < 60; round++) {
    const from = run.outcomes.length;
    cluster.apply(configMaps, configMap('map-0', { a: String(round) }));
    await run.until('its commit', (outcome) => outcome.type === 'committed', from);
  }
  await run.until('a consolidation', (outcome) => outcome.type === 'consolidated');
  await run.stop();
  const counted = await git(directory.path, 'shop', 'count-objects', '-v');
  assert.ok(Number(/^packs: (\d+)$/m.exec(counted)?.[1]) < 50, counted);
  assert.equal((await subjects(directory.path, 'shop')).length, 61);
  await git(directory.path, 'shop', 'fsck', '--strict', '--full');
});

test('a repository that something else made is refused and untouched', async () => {
  await using directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'shop.git'));
  await git(directory.path, 'shop', 'init', '-q', '--bare', '--initial-branch=main');
  const tree = (await git(directory.path, 'shop', 'hash-object', '-t', 'tree', '-w', '/dev/null')).trim();
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@t'];
  const commit = (await git(directory.path, 'shop', ...identity, 'commit-tree', '-m', 'mine', tree)).trim();
  await git(directory.path, 'shop', 'update-ref', 'refs/heads/main', commit);
  await assert.rejects(archiveScripted(shop(), directory.path), { code: 'REPOSITORY_FOREIGN' });
  assert.deepEqual(await subjects(directory.path, 'shop'), ['mine']);
});

test('what an archived object owns is left out and counted, and kept on demand', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop(0);
  const pods = resource('pods', 'Pod');
  const replicaSets = resource('replicasets', 'ReplicaSet', { group: 'apps' });
  cluster.resources = [...cluster.resources, pods, replicaSets];
  const owner = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u', controller: true }];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1-x', namespace: 'shop', ownerReferences: owner },
  };
  cluster.apply(pods, { ...pod, spec: { containers: [{ name: 'web', image: 'web:1' }] } });
  await archiveScripted(cluster, directory.path);
  assert.ok(!(await paths(directory.path, 'shop')).some((path) => path.startsWith('pods/')));
  await archiveScripted(cluster, directory.path, { includeOwned: true });
  assert.ok((await paths(directory.path, 'shop')).includes('pods/web-1-x.json'));
});
