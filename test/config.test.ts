import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from './cluster/start-cluster.ts';
import { archiveOnce, paths, temporaryDirectory } from './flows/keeper.ts';

/** What config/ promises to a cluster admin, asked of a real API server. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

test('the manifests are accepted, strictly', async () => {
  const rendered = await cluster.kubectl(['kustomize', 'config/default']);
  await cluster.kubectl(['create', 'namespace', 'kubekeeper-system']);
  const said = await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', '-'], {
    input: rendered,
  });
  assert.match(said, /deployment\.apps\/kubekeeper serverside-applied/);
});

test("the archiver's account can read everything and write nothing", async () => {
  const account = '--as=system:serviceaccount:kubekeeper-system:kubekeeper-archiver';
  const can = (verb: string, resource: string) =>
    cluster.kubectl(['auth', 'can-i', verb, resource, '-A', account]).then(
      (answer) => answer.trim().endsWith('yes'),
      () => false,
    );
  for (const resource of ['secrets', 'deployments.apps', 'widgets.shop.example']) {
    assert.ok(await can('list', resource), resource);
    for (const verb of ['create', 'update', 'patch', 'delete'])
      assert.ok(!(await can(verb, resource)), `${verb} ${resource}`);
  }
});

test('merged restores are applied by an account that may do nothing until it is bound, which only the archiver may become', async () => {
  const rendered = await cluster.kubectl(['kustomize', 'config/apply-merged']);
  await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', '-'], {
    input: rendered,
  });
  const account = (name: string) => `system:serviceaccount:kubekeeper-system:kubekeeper-${name}`;
  const can = (who: string, ...what: readonly string[]) =>
    cluster.kubectl(['auth', 'can-i', ...what, `--as=${account(who)}`]).then(
      (answer) => answer.trim().endsWith('yes'),
      () => false,
    );
  const become = (name: string, namespace: string) => [
    ...['impersonate', `serviceaccounts/kubekeeper-${name}`, '-n', namespace],
  ];
  assert.ok(await can('archiver', ...become('restorer', 'kubekeeper-system')));
  assert.ok(!(await can('archiver', ...become('archiver', 'kubekeeper-system'))));
  assert.ok(!(await can('archiver', ...become('restorer', 'default'))));
  assert.ok(!(await can('archiver', 'impersonate', 'users')));
  await cluster.kubectl(['create', 'namespace', 'shop']);
  assert.ok(!(await can('restorer', 'create', 'deployments.apps', '-n', 'shop')));
  await cluster.kubectl([
    ...['-n', 'shop', 'create', 'rolebinding', 'kubekeeper-restorer', '--clusterrole', 'kubekeeper-restorer'],
    ...['--serviceaccount', 'kubekeeper-system:kubekeeper-restorer'],
  ]);
  assert.ok(await can('restorer', 'create', 'deployments.apps', '-n', 'shop'));
  assert.ok(!(await can('restorer', 'create', 'deployments.apps', '-n', 'default')));
});

test('an account with these rights archives without a gap', async () => {
  await using directory = await temporaryDirectory();
  const { rules } = JSON.parse(await cluster.kubectl(['get', 'clusterrole', 'kubekeeper-archiver', '-o', 'json'])) as {
    rules: object[];
  };
  const user = await cluster.createUser('as-archiver', rules);
  const { code, report } = await archiveOnce(user.kubeconfig, directory.path);
  assert.equal(code, 0, JSON.stringify(report.skipped));
  assert.ok((await paths(directory.path, 'kubekeeper-system')).includes('deployments.apps/kubekeeper.json'));
});

test('the image starts what the package starts', async () => {
  const dockerfile = await readFile('Dockerfile', 'utf8');
  for (const path of ['package.json', 'bin', 'controller'])
    assert.match(dockerfile, new RegExp(`^COPY .*${path}`, 'm'));
  assert.match(dockerfile, /^USER 65532:0$/m);
});
