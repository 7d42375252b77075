import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Plan } from '../../controller/core/restore/plan.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, git, keeper, temporaryDirectory } from './keeper.ts';

/** `kubekeeper undo`: one commit is taken back, what came later stays. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

const config = (name: string, data: object) =>
  cluster.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data }),
  });

test('what a commit changed, made and deleted is taken back; what came later stays, and is named where it is in the way', async () => {
  await cluster.kubectl(['create', 'namespace', 'shop']);
  await using directory = await temporaryDirectory();
  const archive = () => archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  const place = ['--kubeconfig', cluster.kubeconfig, '--data-dir', directory.path];
  const value = (path: string) => cluster.kubectl(['-n', 'shop', 'get', 'configmap', path, '-o', 'jsonpath={.data}']);
  await config('app', { banner: 'hello', color: 'red', size: 'small' });
  await config('gone', { a: 'b' });
  await archive();
  await config('app', { banner: 'sale', color: 'blue', size: 'small' });
  await config('made', { c: 'd' });
  await cluster.kubectl(['-n', 'shop', 'delete', 'configmap', 'gone']);
  await archive();
  const commit = (await git(directory.path, 'shop', 'rev-parse', 'main')).trim();
  await config('app', { banner: 'sale', color: 'green', size: 'large' });
  await config('late', { e: 'f' });
  await archive();

  const planned = await keeper(['undo', commit.slice(0, 8), '--dry-run', '-o', 'json', ...place]);
  assert.equal(planned.code, 0, planned.stderr);
  const plan = JSON.parse(planned.stdout) as Plan;
  assert.deepEqual(
    plan.steps.map(({ action, ref }) => `${action} ${ref.name}`),
    ['update app', 'create gone', 'delete made'],
  );
  assert.deepEqual(
    plan.steps[0]?.fields.map(({ long }) => long),
    ['data.banner sale -> hello'],
  );
  assert.match(plan.steps[0]?.notes.join() ?? '', /\/data\/color was changed again since, and stays/);

  const done = await keeper(['undo', commit, '--yes', ...place]);
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.deepEqual(JSON.parse(await value('app')), { banner: 'hello', color: 'green', size: 'large' });
  assert.deepEqual(JSON.parse(await value('gone')), { a: 'b' });
  assert.deepEqual(JSON.parse(await value('late')), { e: 'f' });
  await assert.rejects(value('made'), /NotFound/);
});

test('a commit that nobody has, and the first of a history, are refused in one line', async () => {
  await using directory = await temporaryDirectory();
  await cluster.kubectl(['create', 'namespace', 'young']);
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'young');
  const place = ['--kubeconfig', cluster.kubeconfig, '--data-dir', directory.path];
  const first = (await git(directory.path, 'young', 'rev-parse', 'main')).trim();
  for (const [commit, message] of [
    ['0123abc', /Cannot find the commit "0123abc" in .*: no repository has such a commit/],
    ['yesterday', /it is no id, give --namespace with it/],
    [first, /the history is not that long/],
  ] as const) {
    const { code, stdout, stderr } = await keeper(['undo', commit, ...place]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
});
