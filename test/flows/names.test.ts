import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, file, git, paths, temporaryDirectory } from './keeper.ts';

/** Names that a file system, Git or a shell would misread; the API server takes them, so they must be archived and come back. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
});
after(() => cluster[Symbol.asyncDispose]());

const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const names = [
  'team:controller:x',
  'Ab',
  'ab',
  'UPPER',
  'a\\b',
  'a b',
  'line\nbreak',
  '.git:x',
  'git~1',
  'CON',
  '__proto__',
  'constructor',
  '-rf',
  '$(touch x)',
  'ünï',
  'x'.repeat(253),
  `${'x'.repeat(252)}y`,
  'z'.repeat(1500),
];

test('every name that the API server takes is archived, found and applied again as the same object', async () => {
  await using directory = await temporaryDirectory();
  for (const name of names) {
    const answer = await cluster.request('POST', roles, { metadata: { name }, rules });
    assert.equal(answer.status, 201, `${name}: ${answer.text}`);
  }
  const { code } = await archiveOnce(cluster.kubeconfig, directory.path);
  assert.equal(code, 0);
  const found = (await paths(directory.path, '_cluster')).filter((path) => path.startsWith('clusterroles.'));
  const texts = new Map<string, string>();
  for (const path of found) {
    assert.ok(
      path.split('/').every((part) => Buffer.byteLength(part) <= 255 && part !== '..'),
      path,
    );
    const text = await file(directory.path, '_cluster', path);
    texts.set((JSON.parse(text) as { metadata: { name: string } }).metadata.name, text);
  }
  for (const name of names) assert.ok(texts.has(name), name);
  await git(directory.path, '_cluster', 'fsck', '--strict', '--full');
  // A work tree can hold them all.
  await using clone = await temporaryDirectory();
  await git(directory.path, '_cluster', 'worktree', 'add', '--detach', `${clone.path}/tree`, 'main');
  await git(directory.path, '_cluster', 'worktree', 'remove', `${clone.path}/tree`);

  for (const name of names) {
    const path = `${roles}/${encodeURIComponent(name)}`;
    assert.equal((await cluster.request('DELETE', path)).status, 200);
    const applied = await cluster.request(
      'PATCH',
      `${path}?fieldManager=restore`,
      texts.get(name),
      'application/apply-patch+yaml',
    );
    assert.equal(applied.status, 201, `${name}: ${applied.text}`);
  }
  const { report } = await archiveOnce(cluster.kubeconfig, directory.path);
  assert.deepEqual(report.commits, []);
});

test('names of no object are refused by the server itself', async () => {
  for (const name of ['..', '.', 'a/b', 'a%b']) {
    const answer = await cluster.request('POST', roles, { metadata: { name }, rules });
    assert.equal(answer.status, 422, name);
  }
});
