import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, keeper, paths, temporaryDirectory } from './keeper.ts';

/** `--config`: an archive described in a file, as the command line takes it, on a real API server. */

let cluster: Cluster;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  place = await temporaryDirectory();
  for (const name of ['shop', 'office']) {
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const metadata = { name: 'app', namespace: name };
    await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: '1' } });
  }
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

async function file(name: string, text: string): Promise<string> {
  const path = join(place.path, name);
  await writeFile(path, text);
  return path;
}

const SHOP = `
apiVersion: kubekeeper.dev/v1alpha1
kind: ClusterArchive
spec:
  includedNamespaces: [shop]
  includedResources: [configmaps]
`;

test('an archive is what its file says, by flag or by variable, and a flag wins', async () => {
  const config = await file('shop.yaml', SHOP);
  const data = join(place.path, 'data');
  const first = await archiveOnce(cluster.kubeconfig, data, '--config', config);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(
    first.report.commits.map(({ repository }) => repository),
    ['shop'],
  );
  assert.deepEqual(await paths(data, 'shop'), ['.kubekeeper/archive.json', 'configmaps/app.json']);

  const given = ['archive', '--once', '--kubeconfig', cluster.kubeconfig, '--data-dir', join(place.path, 'other')];
  const other = await keeper([...given, '--namespaces', 'office', '-o', 'json'], { KUBEKEEPER_CONFIG: config });
  assert.equal(other.code, 0, other.stderr);
  const { commits } = JSON.parse(other.stdout) as { commits: { repository: string; objects: number }[] };
  assert.deepEqual(
    commits.map(({ repository, objects }) => [repository, objects]),
    [['office', 1]],
  );
});

test('verify and drift look with the same eyes', async () => {
  const config = await file('same.yaml', SHOP);
  const data = join(place.path, 'same');
  assert.equal((await archiveOnce(cluster.kubeconfig, data, '--config', config)).code, 0);
  const where = ['--kubeconfig', cluster.kubeconfig, '--data-dir', data];
  const verified = await keeper(['verify', ...where, '--config', config]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  const drift = await keeper(['drift', 'shop', ...where, '--config', config]);
  assert.equal(drift.code, 0, drift.stdout + drift.stderr);
  const all = await keeper(['drift', 'shop', ...where]);
  assert.equal(all.code, 1, 'without the file everything that is not archived is drift');
});

test('a file with faults is refused whole, with a line for each, and leaves nothing behind', async () => {
  const config = await file('bad.yaml', 'window: soon\ndata:\n  minimumInterval: 1h\n  retention: { keepDayly: 7 }\n');
  const data = join(place.path, 'never');
  for (const verb of [
    ['archive', '--once'],
    ['verify'],
    ['backup', 'shop'],
    ['prune', '--dry-run'],
    ['data', 'shop'],
  ]) {
    const connection = verb[0] === 'data' ? [] : ['--kubeconfig', cluster.kubeconfig];
    const { code, stderr } = await keeper([...verb, ...connection, '--config', config, '--data-dir', data]);
    assert.equal(code, 2, verb[0]);
    assert.equal(
      stderr,
      `error: ${config}:1:1: window is not a time such as 30s, 15m or 720h\n${config}:4:16: key "keepDayly" is not known here; nearest: "keepDaily"; nothing was changed\n`,
    );
  }
  assert.equal((await keeper(['verify', '--offline', '--data-dir', data])).code, 2, 'there is no such directory');
});

test('a file that is not there is one clear line', async () => {
  const missing = join(place.path, 'none.yaml');
  const { code, stderr } = await keeper(['archive', '--once', '--config', missing]);
  assert.equal(code, 2);
  assert.equal(
    stderr,
    `error: Cannot use the configuration "${missing}": there is no such file; nothing was changed, check --config\n`,
  );
});

test('what would never happen in a single run is refused instead of ignored', async () => {
  const remote = 'https://git.example/ops/{cluster}-{namespace}.git';
  const { code, stderr } = await keeper([
    'archive',
    '--once',
    '--apply-merged',
    '--apply-as',
    'bob',
    '--remote',
    remote,
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /--apply-merged is for an archiver that runs on, not for --once; use kubekeeper apply-merged/);
});

test('prune without a policy says what is missing', async () => {
  const config = await file('plain.yaml', SHOP);
  for (const given of [[], ['--config', config]]) {
    const { code, stderr } = await keeper(['prune', '--dry-run', ...given, '--data-dir', place.path]);
    assert.deepEqual([code, /--config is missing, or has no "data"/.test(stderr)], [2, true], stderr);
  }
});
