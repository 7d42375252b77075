import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { applyFixture, fixturePath } from './built-in/apply-fixture.ts';
import { builtInFixtures } from './built-in/built-in-fixtures.ts';
import type { Fixture } from './built-in/fixture.ts';
import { archiveOnce, eventually, git, keeper, temporaryDirectory } from './keeper.ts';

/** Every resource that Kubernetes stores: archived, deleted, restored, archived again: the same tree, byte for byte. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

const namespaces = [...new Set(builtInFixtures.flatMap(({ namespace }) => namespace ?? []))];
/** Of the cluster itself, or needed by the archive to look. */
const own = namespaces.filter((name) => !['default', 'kube-system', 'kube-public', 'kube-node-lease'].includes(name));

const label = (fixture: Fixture) => `${fixture.resource}/${fixture.object.metadata.name.slice(0, 60)}`;

async function waitGone(path: string, what: string): Promise<void> {
  await eventually(
    `${what} to be gone`,
    async () => {
      const answer = await cluster.request('GET', path);
      if (answer.status === 404) return true;
      // A finalizer of the fixture's own has nobody who would take it away.
      const none = [{ op: 'remove', path: '/metadata/finalizers' }];
      if (answer.text.includes('"deletionTimestamp"'))
        await cluster.request('PATCH', path, none, 'application/json-patch+json');
      else await cluster.request('DELETE', path, { gracePeriodSeconds: 0, propagationPolicy: 'Background' });
      return false;
    },
    90_000,
  );
}

const FROM_SNAPSHOT = 'persistentvolumeclaims/from-snapshot.json';

const tree = async (data: string, repository: string) => await git(data, repository, 'ls-tree', '-r', 'main');

test('every built-in resource is archived, deleted, restored, and archived as the same tree', async () => {
  await using directory = await temporaryDirectory();
  for (const fixture of builtInFixtures) await applyFixture(cluster, fixture);
  const identity = await generateX25519Identity();
  const identityFile = join(directory.path, 'identity.txt');
  await writeFile(identityFile, `${identity}\n`, { mode: 0o600 });
  const data = join(directory.path, 'data');
  const options = ['--secrets', 'encrypt', '--age-recipient', await identityToRecipient(identity)];
  const archive = () => archiveOnce(cluster.kubeconfig, data, ...options);
  await archive();
  // A second look: controllers have done what they do to new objects.
  await archive();
  const before = new Map<string, string>();
  for (const name of ['_cluster', ...own]) before.set(name, await tree(data, name));
  const points = new Map<string, string>();
  for (const name of before.keys()) points.set(name, (await git(data, name, 'rev-parse', 'main')).trim());

  for (const fixture of [...builtInFixtures].reverse()) {
    if (fixture.resource === 'namespaces' && !own.includes(fixture.object.metadata.name)) continue;
    if (fixture.namespace !== undefined && !own.includes(fixture.namespace)) continue;
    await waitGone(fixturePath(fixture), label(fixture));
  }
  for (const name of own) await waitGone(`/api/v1/namespaces/${name}`, name);

  for (const [repository, commit] of points) {
    const place = ['--kubeconfig', cluster.kubeconfig, '--data-dir', data, '--identity', identityFile];
    const { code, stdout, stderr } = await keeper([
      'restore',
      repository,
      ...place,
      '--to',
      commit,
      '--yes',
      '--verbose',
    ]);
    assert.equal(code, 0, `${repository}: ${stdout}${stderr}`);
  }
  await archive();
  for (const [repository, then] of before) {
    const now = await tree(data, repository);
    const lines = (text: string) => new Set(text.split('\n'));
    const [was, is] = [lines(then), lines(now)];
    const differing = [...was.symmetricDifference(is)].map((line) => line.split('\t')[1] ?? '');
    const paths = new Set(differing);
    // The snapshot that it was filled from went with its namespace, and a claim would wait for it for ever: that field, and nothing else.
    if (paths.delete(FROM_SNAPSHOT)) {
      const at = async (revision: string) =>
        JSON.parse(await git(data, repository, 'show', `${revision}:${FROM_SNAPSHOT}`)) as { spec: object };
      const { spec, ...claim } = await at(points.get(repository) ?? '');
      const { dataSource: _source, dataSourceRef: _ref, ...rest } = spec as Record<string, unknown>;
      assert.deepEqual(await at('main'), { ...claim, spec: rest });
    }
    const shown: string[] = [];
    for (const path of paths)
      shown.push(await git(data, repository, 'diff', points.get(repository) ?? '', 'main', '--', path));
    assert.equal(shown.join('\n'), '', repository);
  }
});
