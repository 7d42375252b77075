import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, eventually, git, keeper, paths, startArchiver, temporaryDirectory } from './keeper.ts';

/** More than half of a repository gone while nobody watched: held until a person says that it is right. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
  await cluster.kubectl(['create', 'namespace', 'held']);
});
after(() => cluster[Symbol.asyncDispose]());

const NAMES = Array.from({ length: 40 }, (_, index) => `map-${index}`);

test('a sweep of more than half waits for "kubekeeper allow-deletions", which a running archiver obeys', async () => {
  await using directory = await temporaryDirectory();
  const data = directory.path;
  const scope = ['--namespaces', 'held'];
  const items = NAMES.map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'held' } }));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await cluster.kubectl(['create', '-f', '-'], { input: list });
  await archiveOnce(cluster.kubeconfig, data, ...scope);
  await cluster.kubectl(['delete', 'configmaps', '-n', 'held', '--wait=false', ...NAMES.slice(0, 30)]);

  const once = await archiveOnce(cluster.kubeconfig, data, ...scope);
  assert.equal(once.code, 3);
  assert.deepEqual(
    once.report.held.map(({ repository, deletions }) => [repository, deletions]),
    [['held', 30]],
  );

  await using archiver = startArchiver(cluster.kubeconfig, data, ...scope);
  const held = await archiver.waitFor('the held deletions', ({ event }) => event === 'held');
  assert.equal(held['deletions'], 30);
  assert.equal((await paths(data, 'held')).filter((path) => path.includes('/map-')).length, 40);

  const looked = await keeper(['allow-deletions', 'held', '--dry-run', '--data-dir', data]);
  assert.equal(looked.code, 0);
  assert.match(looked.stdout, /^30 of \d+ objects of held, held since 20/);
  assert.match(looked.stdout, /configmaps\s+30/);
  assert.equal((await paths(data, 'held')).filter((path) => path.includes('/map-')).length, 40);

  const allowed = await keeper(['allow-deletions', 'held', '--data-dir', data]);
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.match(allowed.stderr, /the running archiver has deleted them from the tree/);
  await eventually('the deletions', async () => {
    return (await paths(data, 'held')).filter((path) => path.includes('/map-')).length === 10;
  });
  const message = await git(data, 'held', 'log', '-1', '--format=%B');
  assert.match(message, /allowed by a person/);

  const again = await keeper(['allow-deletions', 'held', '--data-dir', data]);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /^error: Nothing is held in "held" .*nothing was changed.*\n$/);
});
