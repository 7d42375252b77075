import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { startAggregatedApi } from './aggregated-api.ts';
import { archiveOnce, eventually, keeper, paths, startArchiver, subjects, temporaryDirectory } from './keeper.ts';

/** What cannot be read is skipped and said; nothing of it is deleted; it comes back by itself. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
  await cluster.kubectl(['create', 'namespace', 'shop']);
  await secret('db', 'one');
  await cluster.kubectl(['create', 'configmap', 'app', '--from-literal=a=1', '-n', 'shop']);
});
after(() => cluster[Symbol.asyncDispose]());

const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }];
const groups = [
  'apps',
  'batch',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'rbac.authorization.k8s.io',
  'networking.k8s.io',
];
const noSecrets = [
  {
    apiGroups: [''],
    resources: ['namespaces', 'configmaps', 'services', 'serviceaccounts', 'pods'],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: groups, resources: ['*'], verbs: ['get', 'list', 'watch'] },
];

async function secret(name: string, value: string): Promise<void> {
  const metadata = { name, namespace: 'shop' };
  await cluster.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password: value } });
}

test('Secrets that may not be read are named, and the rest is archived', async () => {
  await using directory = await temporaryDirectory();
  const user = await cluster.createUser('no-secrets', noSecrets);
  const { code, report } = await archiveOnce(user.kubeconfig, directory.path);
  assert.equal(code, 3);
  const gap = report.skipped.find((skipped) => skipped.resource === 'secrets');
  assert.equal(gap?.code, 'RESOURCE_FORBIDDEN');
  assert.ok((await paths(directory.path, 'shop')).includes('configmaps/app.json'));
  const text = await keeper(['archive', '--once', '--kubeconfig', user.kubeconfig, '--data-dir', directory.path]);
  assert.match(text.stderr, /^skipped secrets: .*$/m);
  assert.equal(text.code, 3);
});

test('where everything that was asked for is refused, the exit code says so', async () => {
  await using directory = await temporaryDirectory();
  const user = await cluster.createUser('only-secrets-asked', noSecrets);
  const { code } = await archiveOnce(user.kubeconfig, directory.path, '--resources', 'secrets');
  assert.equal(code, 4);
});

test('Secrets denied after they were archived stay in Git, and come back within a minute of the right', async () => {
  await using directory = await temporaryDirectory();
  const user = await cluster.createUser('changing', everything);
  const archiver = startArchiver(user.kubeconfig, directory.path);
  await using _running = archiver;
  await archiver.waitFor('the first archive', (line) => line.event === 'committed' && line['repository'] === 'shop');
  assert.ok((await paths(directory.path, 'shop')).includes('secrets/db.json'));

  await user.setRules(noSecrets);
  // The right of a watch that is open is not asked for again; a restart of the server ends it, as time would.
  await cluster.restartApiServer();
  const skipped = (line: { event: string; resource?: unknown }) =>
    line.event === 'skipped' && line.resource === 'secrets';
  await archiver.waitFor('secrets being skipped', skipped, { timeoutMs: 60_000 });
  await secret('db', 'two');
  await cluster.kubectl(['create', 'configmap', 'meanwhile', '-n', 'shop']);
  await eventually('another change', async () =>
    (await paths(directory.path, 'shop')).includes('configmaps/meanwhile.json'),
  );
  assert.ok((await paths(directory.path, 'shop')).includes('secrets/db.json'));

  await user.setRules(everything);
  const given = Date.now();
  const back = (line: { event: string; subject?: unknown }) =>
    line.event === 'committed' && String(line.subject).startsWith('secrets/db');
  await archiver.waitFor('the changed Secret', back, { timeoutMs: 60_000 });
  assert.ok(Date.now() - given < 60_000);
  await archiver.stop();
  assert.deepEqual(
    (await subjects(directory.path, 'shop')).filter((subject) => subject.includes('deleted')),
    [],
  );
});

test('an aggregated API that is down is skipped, nothing of it is deleted, and it comes back by itself', async () => {
  await using directory = await temporaryDirectory();
  await using api = await startAggregatedApi(cluster, ['red', 'blue']);
  const archiver = startArchiver(cluster.kubeconfig, directory.path);
  await using _running = archiver;
  const files = async () =>
    (await paths(directory.path, 'default').catch(() => [])).filter((path) => path.startsWith('gadgets.'));
  await eventually('the gadgets', async () => (await files()).length === 2, 60_000);

  await api.stop();
  const skipped = (line: { event: string; resource?: unknown }) =>
    line.event === 'skipped' && line.resource === 'gadgets.aggregated.example';
  await archiver.waitFor('the gadgets being skipped', skipped, { timeoutMs: 90_000 });
  assert.equal((await files()).length, 2);

  // A start while it is down knows no gadgets, and deletes none.
  await archiver.stop();
  const { code, report } = await archiveOnce(cluster.kubeconfig, directory.path);
  assert.equal(code, 3);
  assert.ok(report.skipped.some((gap) => gap.resource === 'gadgets.aggregated.example'));
  assert.equal((await files()).length, 2);

  const again = startArchiver(cluster.kubeconfig, directory.path);
  await using _again = again;
  await again.waitFor('the first lists', (line) => line.event === 'synced');
  await api.start();
  const listed = (line: { event: string; resource?: unknown }) =>
    line.event === 'listed' && line.resource === 'gadgets.aggregated.example';
  await again.waitFor('the gadgets being listed again', listed, { timeoutMs: 60_000 });
  assert.equal((await files()).length, 2);
  await again.stop();
});
