import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestsParts } from '../../controller/archive/requests.ts';
import { readForPoint } from '../../controller/archive/requests-read.ts';
import type { Space } from '../../controller/archive/space.ts';
import { KeeperError } from '../../controller/errors.ts';
import { type Answer, waitAnswer, writeRequest } from '../../controller/git/requests.ts';
import { systemClock } from '../../controller/system-clock.ts';
import { eventually, file, git, paths, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { resource } from '../flows/scripted-cluster.ts';
import { configMaps, RecreatedCluster } from './lines-cluster.ts';
import { archiveScripted, type RunOptions, watchScripted } from './run.ts';

/** A command that asks for a commit of what lives gets what lives, whatever the watches have told by then. */

const roles = resource('clusterroles', 'ClusterRole', { group: 'rbac.authorization.k8s.io', cluster: true });

function world(): RecreatedCluster {
  const cluster = new RecreatedCluster();
  cluster.resources = [...cluster.resources, roles];
  cluster.make('shop');
  cluster.make('office');
  for (let i = 0; i < 30; i++) cluster.put('shop', `app-${i}`, '1');
  grant(cluster, 'get');
  return cluster;
}

function grant(cluster: RecreatedCluster, verb: string): void {
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: [verb] }];
  cluster.apply(roles, { apiVersion: `${roles.group}/v1`, kind: 'ClusterRole', metadata: { name: 'reader' }, rules });
}

/** A window that closes by itself only long after the test. */
const NEVER = { window: { silenceMs: 3_600_000, maximumMs: 3_600_000 } };

async function watching(cluster: RecreatedCluster, options: RunOptions = NEVER) {
  const directory = await temporaryDirectory();
  await archiveScripted(cluster, directory.path);
  const run = watchScripted(cluster, directory.path, options);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const point = async (name: string, repository = 'shop'): Promise<Answer | undefined> => {
    const tagger = { name: 'Ada', email: 'ada@example.com' };
    const request = { do: 'point', repository, name, message: 'before\n', tagger } as const;
    const patience = { signal: new AbortController().signal, timeoutMs: 20_000 };
    return await waitAnswer(directory.path, await writeRequest(directory.path, request), patience);
  };
  const end = async () => {
    await run.stop();
    await directory[Symbol.asyncDispose]();
  };
  return { path: directory.path, run, point, [Symbol.asyncDispose]: end };
}

test('a point has what lives, also what no watch has told of yet', async () => {
  const cluster = world();
  await using place = await watching(cluster);
  const lag = cluster.lag(configMaps);
  cluster.put('shop', 'app-1', '2');
  cluster.put('shop', 'new', '1');
  cluster.delete(configMaps, 'shop', 'app-2');
  const answer = await place.point('pre/one');
  assert.equal(answer?.ok, true, JSON.stringify(answer));
  assert.match(await file(place.path, 'shop', 'configmaps/app-1.json'), /"value": "2"/);
  const all = await paths(place.path, 'shop');
  assert.deepEqual(
    ['new', 'app-2'].map((name) => all.includes(`configmaps/${name}.json`)),
    [true, false],
  );
  assert.equal((await git(place.path, 'shop', 'rev-parse', 'pre/one^{commit}')).trim(), answer?.ok && answer.commit);
  lag.end();
});

test('what the watches tell late of what was before the point goes to no commit', async () => {
  const cluster = world();
  await using place = await watching(cluster, {});
  const lag = cluster.lag(configMaps);
  for (const value of ['2', '3', '4']) cluster.put('shop', 'app-1', value);
  assert.equal((await place.point('pre/one'))?.ok, true);
  const before = await subjects(place.path, 'shop');
  // The first of the three; then a window of another namespace opens and closes, and with it any that was open before.
  lag.pass(1);
  const from = place.run.outcomes.length;
  lag.end();
  cluster.put('office', 'app', '1');
  await place.run.until('a window', (one) => one.type === 'committed' && one.repository === 'office', from);
  assert.deepEqual(await subjects(place.path, 'shop'), before);
  cluster.put('shop', 'app-1', '5');
  await place.run.until('a change', (one) => one.type === 'committed' && one.repository === 'shop', from);
  assert.match((await subjects(place.path, 'shop'))[0] ?? '', /value 4 -> 5/);
});

test('of many deletions a moment before a point none is held back: the watch may tell of them first', async () => {
  const cluster = world();
  await using place = await watching(cluster);
  const lag = cluster.lag(configMaps);
  for (let i = 0; i < 25; i++) cluster.delete(configMaps, 'shop', `app-${i}`);
  setTimeout(() => lag.end(), 1500);
  assert.equal((await place.point('pre/one'))?.ok, true);
  assert.equal((await paths(place.path, 'shop')).filter((path) => path.startsWith('configmaps/')).length, 5);
  assert.deepEqual(
    place.run.outcomes.filter(({ type }) => type === 'held'),
    [],
  );
});

test('a point of the cluster-scoped objects has them as they live', async () => {
  const cluster = world();
  await using place = await watching(cluster);
  const lag = cluster.lag(roles);
  grant(cluster, 'watch');
  assert.equal((await place.point('pre/one', '_cluster'))?.ok, true);
  assert.match(await file(place.path, '_cluster', 'clusterroles.rbac.authorization.k8s.io/reader.json'), /"watch"/);
  lag.end();
});

test('a list that fails is made again, and the point waits for it', async () => {
  const cluster = world();
  await using place = await watching(cluster);
  let failures = 2;
  cluster.beforeList = (name) => {
    if (name !== 'configmaps' || failures-- <= 0) return undefined;
    throw new KeeperError('too many requests', { kind: 'transient', code: 'CLUSTER_BUSY' });
  };
  const lag = cluster.lag(configMaps);
  cluster.put('shop', 'app-1', '2');
  assert.equal((await place.point('pre/one'))?.ok, true);
  assert.ok(failures <= 0);
  assert.match(await file(place.path, 'shop', 'configmaps/app-1.json'), /"value": "2"/);
  lag.end();
});

test('a list that does not end is given up with the archiver, and windows go on', async () => {
  const cluster = world();
  await using place = await watching(cluster, {});
  cluster.beforeList = (name) => (name === 'configmaps' ? new Promise(() => undefined) : undefined);
  const tagger = { name: 'Ada', email: 'ada@example.com' };
  await writeRequest(place.path, { do: 'point', repository: 'shop', name: 'pre/one', message: 'before\n', tagger });
  await eventually('the list', async () => cluster.lists.includes('configmaps of shop'));
  cluster.put('office', 'app', '1');
  await place.run.until('a window', (one) => one.type === 'committed' && one.repository === 'office');
  const started = performance.now();
  await place.run.stop();
  assert.ok(performance.now() - started < 10_000);
});

const SPACE = { name: 'shop', users: { isClosed: false }, pending: new Map(), held: new Map() } as unknown as Space;
const LIMITS = { deadlineMs: 300, againMs: 20, tellingMs: 20 };

function parts(reread: RequestsParts['reread'], gaps: readonly string[] = []) {
  const { signal } = new AbortController();
  return { reread, isGap: (one: string) => gaps.includes(one), clock: systemClock, signal };
}

const unread = [{ resource: 'widgets.shop.example', reason: 'it may not list them', code: 'RESOURCE_FORBIDDEN' }];

test('what cannot be read in time makes no point, and who asked is told what it was', async () => {
  await assert.rejects(
    readForPoint(
      parts(async () => unread),
      SPACE,
      LIMITS,
    ),
    {
      code: 'CLUSTER_BUSY',
      message:
        'The running archiver could not read all of what lives in "shop" within 0.3 s (widgets.shop.example: it may not list them); nothing was changed, try again when it can be read',
    },
  );
  const silent = (_space: Space, signal: AbortSignal) =>
    new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  await assert.rejects(readForPoint(parts(silent), SPACE, LIMITS), { message: /the API server did not answer/ });
});

test('what the archive could not read before either keeps nobody from a point', async () => {
  await readForPoint(
    parts(async () => unread, ['widgets.shop.example']),
    SPACE,
    LIMITS,
  );
});
