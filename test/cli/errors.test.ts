import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, type Ended, git, keeper, temporaryDirectory } from '../flows/keeper.ts';

/** Wrong input: one line that says what happened and what to do, the right exit code, and nothing changed on the disk. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
});
after(() => cluster[Symbol.asyncDispose]());

function assertRefused(ended: Ended, code: number, ...says: readonly RegExp[]): void {
  assert.equal(ended.code, code, ended.stderr);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /^error: [^\n]+\n$/, 'one line');
  for (const words of says) assert.match(ended.stderr, words);
}

/** Runs with a data directory that must not come into being. */
async function refused(code: number, args: readonly string[], ...says: readonly RegExp[]): Promise<void> {
  await using place = await temporaryDirectory();
  const ended = await keeper(['archive', '--once', '--data-dir', join(place.path, 'data'), ...args], {
    KUBECONFIG: cluster.kubeconfig,
  });
  assertRefused(ended, code, ...says);
  assert.deepEqual(await readdir(place.path), [], 'the data directory was made');
}

test('a kubeconfig that cannot be read', async () => {
  await refused(2, ['--kubeconfig', '/nonexistent/config'], /\/nonexistent\/config/);
});

test('a kubeconfig that is none', async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, 'config');
  await writeFile(path, '{"kind": [');
  await refused(2, ['--kubeconfig', path], /config/);
});

test('a context that is not there names those that are', async () => {
  await refused(2, ['--context', 'tset'], /"tset"/, /"?test"?/);
});

test('a cluster that cannot be reached', async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, 'config');
  const config = await readFile(cluster.kubeconfig, 'utf8');
  await writeFile(path, config.replace(/https:\/\/127\.0\.0\.1:\d+/, 'https://127.0.0.1:1'));
  await refused(5, ['--kubeconfig', path], /127\.0\.0\.1:1/);
});

test('a token that is refused', async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, 'config');
  const user = await cluster.createUser('someone', []);
  const config = await readFile(user.kubeconfig, 'utf8');
  await writeFile(path, config.replaceAll(user.token, 'wrong-token-canary'));
  const ended = await keeper(['archive', '--once', '--kubeconfig', path, '--data-dir', join(place.path, 'data')]);
  assertRefused(ended, 4, /credentials|refused|Unauthorized/i);
  assert.doesNotMatch(ended.stderr, /wrong-token-canary/);
});

test('a rules file with a bad pointer names the nearest valid thing', async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, 'rules.yaml');
  const rule = (text: string) => `rules:\n  - resources: [deployments.apps]\n${text}`;
  await writeFile(path, rule('    pointer: spec/replicas\n    verdict: hold\n'));
  await refused(2, ['--rules', path], /rules\.yaml:3/, /"?\/spec\/replicas"?/);
  await writeFile(path, rule('    pointer: /spec/replicas\n    verdict: stripp\n'));
  await refused(2, ['--rules', path], /rules\.yaml:4/, /"strip"/);
  await refused(2, ['--rules', join(place.path, 'none.yaml')], /none\.yaml/);
});

test('flags that are wrong or contradict each other', async () => {
  await refused(2, ['--secrets', 'plain'], /fingerprint/);
  await refused(2, ['--window', 'soon'], /--window/, /5s/);
  await refused(2, ['--window', '60s'], /--max-window/);
  await refused(2, ['--secrets', 'encrypt'], /--age-recipient|recipient/);
  await refused(2, ['--secrets', 'encrypt', '--age-recipient', 'age1wrong'], /age1wrong|recipient/);
  await refused(2, ['--nonsense'], /--nonsense/);
  await refused(2, ['-o', 'yaml'], /json/);
});

test('a variable is read as its flag is, and the flag wins', async () => {
  await using place = await temporaryDirectory();
  const env = {
    KUBECONFIG: cluster.kubeconfig,
    KUBEKEEPER_WINDOW: 'soon',
    KUBEKEEPER_DATA_DIR: join(place.path, 'data'),
  };
  assertRefused(await keeper(['archive', '--once'], env), 2, /--window/);
  const ended = await keeper(['archive', '--once', '--window', '5s'], env);
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok((await readdir(join(place.path, 'data'))).includes('default.git'));
});

test('an asked-for resource that is not served is named', async () => {
  await using place = await temporaryDirectory();
  const ended = await archiveOnce(cluster.kubeconfig, place.path, '--resources', 'deploymets,configmaps');
  assert.equal(ended.code, 3);
  assert.ok(ended.report.skipped.some((gap) => gap.resource === 'deploymets' && /deployments/.test(gap.reason)));
});

/** Every file with its content and time. */
async function snapshot(directory: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path, `${(await stat(path)).mtimeMs} ${(await readFile(path)).toString('base64')}`);
  }
  return files;
}

async function refusedUntouched(directory: string, code: number, ...says: readonly RegExp[]): Promise<void> {
  const before = await snapshot(directory);
  const ended = await keeper(['archive', '--once', '--kubeconfig', cluster.kubeconfig, '--data-dir', directory]);
  assertRefused(ended, code, ...says);
  assert.deepEqual(await snapshot(directory), before);
}

/** A commit on the repository of `default` as a later kubekeeper would make it. */
async function makeNewer(directory: string): Promise<void> {
  await using work = await temporaryDirectory();
  const tree = join(work.path, 'tree');
  await git(directory, 'default', 'worktree', 'add', tree, 'main');
  const path = join(tree, '.kubekeeper/archive.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"formatVersion": 1', '"formatVersion": 2'));
  const commit = ['-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qam', 'newer'];
  const there = ['--work-tree', tree, `--git-dir=${join(directory, 'default.git/worktrees/tree')}`];
  await git(directory, 'default', ...there, ...commit);
  await git(directory, 'default', 'worktree', 'remove', '--force', tree);
}

test('a repository of a newer format is refused and untouched', async () => {
  await using place = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, place.path);
  await makeNewer(place.path);
  await refusedUntouched(place.path, 2, /default\.git/, /version 2/, /newer kubekeeper/);
});

test('a repository of a newer format is refused and untouched also where it is damaged', async () => {
  await using place = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, place.path);
  await makeNewer(place.path);
  await writeFile(join(place.path, 'default.git/refs/heads/main'), '');
  await refusedUntouched(place.path, 2, /\/default\.git": its format is version 2/, /newer kubekeeper/);
});

test('a repository of another kind is refused and untouched', async () => {
  await using place = await temporaryDirectory();
  await mkdir(join(place.path, 'default.git'));
  await git(place.path, 'default', 'init', '-q', '--bare', '--object-format=sha256');
  await refusedUntouched(place.path, 2, /default\.git/, /sha256/);
});

test('a fingerprint key that others can read is refused', async () => {
  await using place = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, place.path);
  const key = join(place.path, 'fingerprint.key');
  assert.equal((await stat(key)).mode & 0o777, 0o600);
  await chmod(key, 0o644);
  await refusedUntouched(place.path, 2, /chmod/, /fingerprint\.key/);
});

test('a data directory of another cluster is refused and untouched', async () => {
  await using place = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, place.path);
  await using other = await startCluster({ controllerManager: false });
  await using copy = await temporaryDirectory();
  await cp(place.path, copy.path, { recursive: true });
  const ended = await keeper(['archive', '--once', '--kubeconfig', other.kubeconfig, '--data-dir', copy.path]);
  assertRefused(ended, 2, /another --data-dir/);
});

test('help and version are no errors, and a misspelt verb names the nearest', async () => {
  const help = await keeper(['archive', '--help']);
  assert.equal(help.code, 0);
  for (const flag of ['--namespaces', '--data-dir', 'KUBEKEEPER_DATA_DIR', '--age-recipient'])
    assert.ok(help.stdout.includes(flag), flag);
  assert.match((await keeper(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  const typo = await keeper(['archve']);
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /archive/);
});
