import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, paths, startArchiver, temporaryDirectory } from './keeper.ts';

/** What is archived when not everything is asked for, or allowed. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
  for (const name of ['shop-web', 'shop-test', 'office']) {
    await cluster.kubectl(['create', 'namespace', name]);
    await cluster.kubectl(['create', 'configmap', 'app', '-n', name]);
    await cluster.kubectl(['create', 'configmap', 'labelled', '-n', name]);
    await cluster.kubectl(['label', 'configmap', 'labelled', 'tier=front', '-n', name]);
    await cluster.kubectl(['create', 'deployment', 'web', '--image=web:1', '-n', name]);
  }
  await cluster.kubectl(['create', 'clusterrole', 'reader', '--verb=get', '--resource=pods']);
});
after(() => cluster[Symbol.asyncDispose]());

async function repositories(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.git')).sort();
}

const manifests = async (directory: string, repository: string) =>
  (await paths(directory, repository)).filter((path) => !path.startsWith('.'));

test('namespaces by glob, without those excluded', async () => {
  await using directory = await temporaryDirectory();
  const { code } = await archiveOnce(
    cluster.kubeconfig,
    directory.path,
    '--namespaces',
    'shop-*,_cluster',
    '--exclude-namespaces',
    'shop-test',
  );
  assert.equal(code, 0);
  assert.deepEqual(await repositories(directory.path), ['_cluster.git', 'shop-web.git']);
  assert.deepEqual(await manifests(directory.path, '_cluster'), ['clusterroles.rbac.authorization.k8s.io/reader.json']);
});

test('resources as kubectl spells them, without those excluded', async () => {
  await using directory = await temporaryDirectory();
  const { report } = await archiveOnce(
    cluster.kubeconfig,
    directory.path,
    '--namespaces',
    'office',
    '--resources',
    'deploy,configmaps,ns',
  );
  assert.deepEqual(
    report.resources.map((one) => one.resource),
    ['configmaps', 'deployments.apps', 'namespaces'],
  );
  assert.deepEqual(await manifests(directory.path, 'office'), [
    'configmaps/app.json',
    'configmaps/labelled.json',
    'deployments.apps/web.json',
    'namespaces/office.json',
  ]);
  await using other = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, other.path, '--namespaces', 'office', '--exclude-resources', 'configmaps');
  assert.deepEqual(await manifests(other.path, 'office'), ['deployments.apps/web.json', 'namespaces/office.json']);
});

test('a selector, and what stops matching it leaves', async () => {
  await using directory = await temporaryDirectory();
  const archiver = startArchiver(cluster.kubeconfig, directory.path, '--selector', 'tier=front');
  await using _running = archiver;
  await archiver.waitFor('the first archive', (line) => line.event === 'committed' && line['repository'] === 'office');
  assert.deepEqual(await manifests(directory.path, 'office'), ['configmaps/labelled.json']);
  const from = archiver.lines.length;
  await cluster.kubectl(['label', 'configmap', 'labelled', 'tier-', '-n', 'office']);
  await archiver.waitFor('its leaving', (line) => line.event === 'committed' && line['repository'] === 'office', {
    from,
  });
  assert.deepEqual(await manifests(directory.path, 'office'), []);
  await cluster.kubectl(['label', 'configmap', 'labelled', 'tier=front', '-n', 'office']);
});

test('a team with rights in its own namespace alone archives that', async () => {
  await using directory = await temporaryDirectory();
  const user = await cluster.createUser('team', []);
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'team', namespace: 'shop-web' } };
  await cluster.apply({
    ...rbac,
    kind: 'Role',
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
  });
  await cluster.apply({
    ...rbac,
    kind: 'RoleBinding',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'team' },
    subjects: [{ kind: 'ServiceAccount', name: 'team', namespace: 'default' }],
  });
  const { code, report } = await archiveOnce(user.kubeconfig, directory.path, '--namespaces', 'shop-web');
  assert.deepEqual(
    report.skipped.map((gap) => gap.resource),
    ['namespaces'],
  );
  assert.equal(code, 3);
  assert.deepEqual(await repositories(directory.path), ['shop-web.git']);
  assert.ok((await manifests(directory.path, 'shop-web')).includes('deployments.apps/web.json'));
});

test('a namespace that is not there is named', async () => {
  await using directory = await temporaryDirectory();
  const { code, report } = await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop-wbe');
  assert.equal(code, 3);
  assert.match(report.skipped[0]?.reason ?? '', /"shop-wbe"/);
});
