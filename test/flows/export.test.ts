import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { binary } from '../cluster/binaries.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { DEFINITION, NAMESPACE_OBJECT, OBJECTS, SECRET_VALUE } from './export-objects.ts';
import { archiveOnce, eventually, git, keeper, paths, temporaryDirectory } from './keeper.ts';

/** What is exported brings a namespace back with kubectl alone. */

const run = promisify(execFile);

let cluster: Cluster;
let place: AsyncDisposable & { readonly path: string };
let identityFile: string;
/** The archive with encrypted secrets that is exported, and one with fingerprints that tells whether all came back. */
let encrypted: string;
let first: string;

before(async () => {
  place = await temporaryDirectory();
  cluster = await startCluster();
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(DEFINITION) });
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/widgets.shop.example']);
  const items = [NAMESPACE_OBJECT, ...OBJECTS];
  await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  await settled();
  const identity = await generateX25519Identity();
  identityFile = join(place.path, 'keys.txt');
  await writeFile(identityFile, `${identity}\n`, { mode: 0o600 });
  const recipient = await identityToRecipient(identity);
  [encrypted, first] = [join(place.path, 'encrypted'), join(place.path, 'first')];
  await archive(encrypted, '--secrets', 'encrypt', '--age-recipient', recipient);
  await archive(first);
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

/** The controllers have made what they put into every namespace, and the workloads know of their pods. */
async function settled(): Promise<void> {
  await eventually('the controllers', async () => {
    const made = await cluster.kubectl([
      'get',
      'sa/default',
      'cm/kube-root-ca.crt',
      '-n',
      'shop',
      '-o',
      'name',
      '--ignore-not-found',
    ]);
    return made.trim().split('\n').length === 2;
  });
}

async function archive(directory: string, ...args: readonly string[]): Promise<void> {
  const ended = await archiveOnce(cluster.kubeconfig, directory, '--namespaces', 'shop,_cluster', ...args);
  assert.equal(ended.code, 0, ended.stderr);
}

async function exported(...args: readonly string[]) {
  const ended = await keeper(['export', 'shop', '--data-dir', encrypted, ...args]);
  assert.equal(ended.code, 0, ended.stderr);
  return ended;
}

/** Every file of the first archive and of one made now, by path. */
async function difference(name: string): Promise<readonly string[]> {
  const directory = join(place.path, name);
  await mkdir(directory);
  // The same key gives the same fingerprints.
  await copyFile(join(first, 'fingerprint.key'), join(directory, 'fingerprint.key'));
  await settled();
  await archive(directory);
  const [was, is] = await Promise.all([tree(first), tree(directory)]);
  assert.ok(was.size > OBJECTS.length);
  return [...new Set([...was, ...is])]
    .filter((line) => !was.has(line) || !is.has(line))
    .map((line) => line.slice(53))
    .sort();
}

async function tree(directory: string): Promise<ReadonlySet<string>> {
  const lines = (await git(directory, 'shop', 'ls-tree', '-r', 'main')).trim().split('\n');
  // The archive file holds the uid of the namespace, which is another one.
  return new Set(lines.filter((line) => !line.endsWith('.kubekeeper/archive.json')));
}

test('one YAML brings a deleted namespace back by kubectl alone, byte for byte', async () => {
  const file = join(place.path, 'shop.yaml');
  const ended = await exported('--identity', identityFile, '--output-file', file);
  assert.match(ended.stderr, /warning: the output holds secrets in clear/);
  assert.match(ended.stderr, /exported \d+ objects of shop at [0-9a-f]{10} of .*\napply it: kubectl apply -f \S+\n$/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await cluster.kubectl(['delete', 'namespace', 'shop', '--wait', '--timeout=60s']);
  await cluster.kubectl(['apply', '-f', file]);
  assert.deepEqual(await difference('by-yaml'), []);
});

test('numbered files bring the definitions too, by the one line that they name', async () => {
  const directory = join(place.path, 'shop-files');
  const ended = await exported('--identity', identityFile, '--format', 'kubectl', '--output-file', directory);
  assert.deepEqual(await readdir(directory), [
    '00-definitions.yaml',
    '05-namespaces.yaml',
    '15-limits.yaml',
    '20-rights.yaml',
    '25-accounts.yaml',
    '30-configuration.yaml',
    '40-claims.yaml',
    '45-network.yaml',
    '50-custom.yaml',
    '55-workloads.yaml',
    '60-scaling.yaml',
    '65-schedules.yaml',
    'README.txt',
  ]);
  const line = (await readFile(join(directory, 'README.txt'), 'utf8')).split('\n')[1] as string;
  assert.ok(ended.stderr.includes(line));
  await cluster.kubectl(['delete', 'namespace', 'shop', '--wait', '--timeout=60s']);
  await cluster.kubectl(['delete', 'crd', 'widgets.shop.example', '--wait']);
  const path = `${dirname(await binary('kubectl'))}${delimiter}${process.env['PATH']}`;
  await run('sh', ['-c', line], {
    cwd: directory,
    env: { ...process.env, PATH: path, KUBECONFIG: cluster.kubeconfig },
  });
  assert.deepEqual(await difference('by-files'), []);
});

test('without an identity sealed objects are left out, and it says so', async () => {
  const { stdout, stderr } = await exported();
  assert.match(
    stdout,
    /^# left out: secrets\/db\.json: it is encrypted, and no identity was given \(\/data\/password\)$/m,
  );
  assert.match(stderr, /left out: secrets\/db\.json/);
  for (const text of [SECRET_VALUE, Buffer.from(SECRET_VALUE).toString('base64'), 'ENC['])
    assert.ok(!stdout.includes(text));
  const given = join(place.path, 'values.yaml');
  await writeFile(given, 'secrets/db: { password: sesame }\n', { mode: 0o600 });
  const filled = await exported('--secret-values', given, '--object', 'secret/db');
  assert.match(filled.stdout, /^ {2}password: c2VzYW1l$/m);
  await writeFile(given, 'secrets/dc: { password: sesame }\n', { mode: 0o600 });
  const refused = await keeper([
    'export',
    'shop',
    '--data-dir',
    encrypted,
    '--secret-values',
    given,
    '--output-file',
    join(place.path, 'none'),
  ]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /there is no secrets\/dc among what is exported/);
  assert.ok(!(await readdir(place.path)).some((name) => name.startsWith('none')), 'something was left behind');
});

test('for another cluster it lacks what this one gave out, and keeps what a person asked for', async () => {
  const [here, elsewhere] = [(await exported()).stdout, (await exported('--elsewhere')).stdout];
  assert.match(here, /clusterIP: "?10\./);
  assert.doesNotMatch(elsewhere, /clusterIP: "?10\./);
  assert.match(elsewhere, /clusterIP: None/);
  assert.deepEqual(elsewhere.match(/nodePort: \d+/g), ['nodePort: 30123']);
});

test('what is too large for kubectl apply is named with what to do', async () => {
  await cluster.kubectl(['create', 'namespace', 'large']);
  const data = { text: 'x'.repeat(300_000) };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'large', namespace: 'large' }, data };
  await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(object) });
  const directory = join(place.path, 'large');
  const ended = await archiveOnce(cluster.kubeconfig, directory, '--namespaces', 'large');
  assert.equal(ended.code, 0);
  const { stdout, stderr } = await keeper(['export', 'large', '--data-dir', directory, '--object', 'configmaps/large']);
  assert.match(
    stderr,
    /note: configmaps\/large\.json is too large for kubectl apply alone; use kubectl apply --server-side/,
  );
  await cluster.kubectl(['delete', 'configmap', 'large', '-n', 'large']);
  await assert.rejects(cluster.kubectl(['apply', '-f', '-'], { input: stdout }));
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: stdout });
});

test('a zip holds the files as they lie in Git', async () => {
  const file = join(place.path, 'shop.zip');
  await exported('--format', 'zip', '--output-file', file);
  const read =
    'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nsys.stdout.write("\\0".join(n + "\\1" + z.read(n).decode() for n in z.namelist()))';
  const { stdout } = await run('python3', ['-c', read, file], { maxBuffer: 2 ** 26 });
  const contents = new Map(stdout.split('\0').map((one) => one.split('\u0001') as [string, string]));
  assert.deepEqual(
    [...contents.keys()].sort(),
    ['shop/README.txt', ...(await paths(encrypted, 'shop')).map((path) => `shop/${path}`)].sort(),
  );
  for (const path of await paths(encrypted, 'shop'))
    assert.equal(contents.get(`shop/${path}`), await git(encrypted, 'shop', 'cat-file', 'blob', `main:${path}`), path);
  const again = join(place.path, 'again.zip');
  await exported('--format', 'zip', '--output-file', again);
  assert.deepEqual(await readFile(again), await readFile(file));
});

test('a bare clone is enough, and the summary is there for programs', async () => {
  const clone = join(place.path, 'clone.git');
  await run('git', ['clone', '-q', '--bare', join(encrypted, 'shop.git'), clone]);
  const file = join(place.path, 'clone.yaml');
  const ended = await keeper(['export', 'shop', '--from', clone, '--output-file', file, '-o', 'json']);
  const summary = JSON.parse(ended.stdout) as {
    version: number;
    repository: string;
    objects: number;
    leftOut: { path: string }[];
  };
  assert.deepEqual([summary.version, summary.repository], [1, 'shop']);
  assert.ok(summary.objects >= 18);
  assert.ok(summary.leftOut.some(({ path }) => path === 'secrets/db.json'));
});

test('what cannot be exported is one line and exit code 2', async () => {
  const taken = join(place.path, 'taken');
  await writeFile(taken, 'mine');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['shop', '--at', 'good/none'], /Cannot find "good\/none".*there are no tags/],
    [['none'], /There is no repository "none"/],
    [['../etc'], /is no namespace/],
    [['shop', '--object', 'configmaps/none'], /Nothing in shop at [0-9a-f]{10} is what --object asks for/],
    [['shop', '--object', 'configmap'], /names no object/],
    [['shop', '--output-file', taken], /it exists; nothing was written/],
    [['shop', '--output-file', join(place.path, 'no/where')], /ENOENT; nothing was written/],
    [['shop', '--format', 'kubectl'], /name it with --output-file/],
    [['shop', '--format', 'zip', '--identity', identityFile], /sealed; --identity/],
    [['shop', '--identity', taken], /no age identity in line 1; nothing was decrypted/],
    [['shop', '-o', 'json'], /name a file with --output-file/],
  ];
  for (const [args, expected] of cases) {
    const ended = await keeper(['export', '--data-dir', encrypted, ...args]);
    assert.match(ended.stderr, expected);
    assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr);
    assert.equal(ended.code, 2);
  }
  assert.equal(await readFile(taken, 'utf8'), 'mine');
});
