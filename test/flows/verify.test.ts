import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { contentsOf, damageObject } from '../git/damages.ts';
import { type Ended, git, keeper, startArchiver, subjects, temporaryDirectory } from './keeper.ts';

/** `kubekeeper verify` on a real cluster: it tells what is so, and only that, and writes nothing. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  for (const name of ['shop', 'office']) {
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await put(name, 'app', '1');
  }
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', namespace: 'shop' },
    stringData: { p: 'x' },
  };
  await cluster.apply(secret);
});
after(() => cluster[Symbol.asyncDispose]());

async function put(namespace: string, name: string, value: string): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value } });
}

async function remove(namespace: string, name: string): Promise<void> {
  const answer = await cluster.request('DELETE', `/api/v1/namespaces/${namespace}/configmaps/${name}`);
  assert.ok(answer.status < 300, answer.text);
}

function archive(directory: string, ...args: readonly string[]): Promise<Ended> {
  return keeper(['archive', '--once', '--kubeconfig', cluster.kubeconfig, '--data-dir', directory, ...args]);
}

function verify(directory: string, ...args: readonly string[]): Promise<Ended> {
  return keeper(['verify', '--kubeconfig', cluster.kubeconfig, '--data-dir', directory, ...args]);
}

interface Report {
  readonly repositories: readonly {
    readonly repository: string;
    readonly exists: boolean;
    readonly sound: boolean;
    readonly isDamaged: boolean;
    readonly findings: readonly { readonly where: string; readonly problem: string; readonly severity: string }[];
    readonly live: {
      readonly state: string;
      readonly differences?: readonly { readonly path: string; readonly what: string; readonly reason: string }[];
      readonly unread?: readonly string[];
    };
  }[];
  readonly unread: readonly { readonly resource: string; readonly code: string }[];
  readonly repaired: readonly { readonly type: string; readonly repository: string }[];
}

async function report(directory: string, ...args: readonly string[]): Promise<Ended & { report: Report }> {
  const ended = await verify(directory, '-o', 'json', ...args);
  return { ...ended, report: JSON.parse(ended.stdout || '{}') as Report };
}

/** Without the lines that say how far a slow machine is. */
function said({ stderr }: Ended): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('looking at '));
}

function differences(report: Report): readonly string[] {
  return report.repositories.flatMap(({ repository, live }) =>
    (live.differences ?? []).map(({ path, what }) => `${repository}/${path} ${what}`),
  );
}

/** Every byte, and who may read it. */
function stateOf(directory: string): unknown {
  const modes = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => [
    name,
    statSync(join(directory, name)).mode,
  ]);
  return [[...contentsOf(directory)], modes.sort()];
}

test('after an archive everything is sound and equal, and looking has changed nothing', async () => {
  await using directory = await temporaryDirectory();
  assert.equal((await archive(directory.path)).code, 0);
  // What a pod's fsGroup does; an archiver would mend it.
  chmodSync(join(directory.path, 'fingerprint.key'), 0o640);
  const before = stateOf(directory.path);
  const ended = await verify(directory.path);
  assert.deepEqual([ended.code, said(ended)], [0, []], ended.stdout);
  const rows = ended.stdout.trim().split('\n');
  assert.match(rows[0] ?? '', /^repository +sound +live +remote$/);
  for (const row of rows.slice(1)) assert.match(row, /^\S+ +yes +equal +-$/);
  assert.deepEqual(stateOf(directory.path), before);
});

test('what differs is named: other, missing, too many, and a namespace without a repository', async () => {
  await using directory = await temporaryDirectory();
  await put('shop', 'gone', '1');
  assert.equal((await archive(directory.path)).code, 0);
  await put('shop', 'app', '2');
  await put('shop', 'new', '1');
  await remove('shop', 'gone');
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' } });
  await put('fresh', 'app', '1');
  try {
    const ended = await report(directory.path);
    assert.equal(ended.code, 1);
    assert.deepEqual(differences(ended.report), [
      'fresh/configmaps/app.json missing',
      'fresh/namespaces/fresh.json missing',
      'shop/configmaps/app.json different',
      'shop/configmaps/gone.json extra',
      'shop/configmaps/new.json missing',
    ]);
    assert.equal(ended.report.repositories.find(({ repository }) => repository === 'fresh')?.exists, false);
    const text = await verify(directory.path, 'shop', 'fresh');
    assert.match(text.stdout, /^shop: configmaps\/app\.json is different: data\.value 1 -> 2$/m);
    assert.match(text.stdout, /^fresh +missing +2 different +-$/m);
    assert.doesNotMatch(text.stdout, /^office/m);
  } finally {
    await cluster.request('DELETE', '/api/v1/namespaces/fresh/configmaps/app');
    await remove('shop', 'new');
    await put('shop', 'app', '1');
  }
});

test('beside a running archiver a change whose window is open is no difference', async () => {
  await using directory = await temporaryDirectory();
  const windows = ['--window', '4s', '--max-window', '6s'];
  await using archiver = startArchiver(cluster.kubeconfig, directory.path, ...windows);
  await archiver.waitFor('the first commit', ({ event, repository }) => event === 'committed' && repository === 'shop');
  const lock = readFileSync(join(directory.path, 'lock'), 'utf8');
  await put('shop', 'app', 'in its window');
  const ended = await report(directory.path, 'shop', ...windows);
  assert.deepEqual(differences(ended.report), []);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match((await subjects(directory.path, 'shop'))[0] ?? '', /in its window/);
  assert.equal(readFileSync(join(directory.path, 'lock'), 'utf8'), lock);
  await archiver.stop();
});

test('beside a running archiver that archives less, what stays different is called so', async () => {
  await using directory = await temporaryDirectory();
  const windows = ['--window', '100ms', '--max-window', '200ms'];
  await using archiver = startArchiver(
    cluster.kubeconfig,
    directory.path,
    ...windows,
    '--exclude-resources',
    'secrets',
  );
  await archiver.waitFor('the first lists', ({ event }) => event === 'synced');
  await archiver.waitFor('the first commit', ({ event, repository }) => event === 'committed' && repository === 'shop');
  const ended = await report(directory.path, 'shop', ...windows);
  assert.deepEqual(differences(ended.report), ['shop/secrets/db.json missing']);
  assert.equal(ended.code, 1);
  const narrowed = await report(directory.path, 'shop', ...windows, '--exclude-resources', 'secrets');
  assert.equal(narrowed.code, 0);
  await archiver.stop();
});

test('what may not be read is said, not called equal', async () => {
  await using directory = await temporaryDirectory();
  assert.equal((await archive(directory.path)).code, 0);
  const rules = [{ apiGroups: [''], resources: ['namespaces', 'configmaps'], verbs: ['get', 'list', 'watch'] }];
  const user = await cluster.createUser('looker', rules);
  const args = ['verify', 'shop', '-o', 'json', '--data-dir', directory.path, '--kubeconfig', user.kubeconfig];
  const ended = await keeper(args);
  const { repositories, unread } = JSON.parse(ended.stdout) as Report;
  assert.equal(ended.code, 3);
  assert.deepEqual(
    repositories.map(({ live }) => [live.state, live.unread]),
    [['equal', ['secrets']]],
  );
  assert.ok(unread.some(({ resource, code }) => resource === 'secrets' && code === 'RESOURCE_FORBIDDEN'));
});

test('a cluster that does not answer ends with 5, and the repositories are looked at all the same', async () => {
  await using directory = await temporaryDirectory();
  assert.equal((await archive(directory.path)).code, 0);
  const kubeconfig = join(directory.path, 'elsewhere');
  writeFileSync(
    kubeconfig,
    readFileSync(cluster.kubeconfig, 'utf8').replace(/https:\/\/[^\s"]+/, 'https://127.0.0.1:9'),
  );
  const ended = await keeper(['verify', '--data-dir', directory.path, '--kubeconfig', kubeconfig]);
  assert.equal(ended.code, 5);
  assert.match(ended.stdout, /^shop +yes +not compared +-$/m);
  assert.match(ended.stderr, /^not compared with the live state: /m);
  const offline = await keeper(['verify', '--offline', '--data-dir', directory.path, '--kubeconfig', kubeconfig]);
  assert.equal(offline.code, 0);
  assert.match(offline.stdout, /^shop +yes +- +-$/m);
});

test('encrypted secrets are compared without a key to read them; another policy is said', async () => {
  await using directory = await temporaryDirectory();
  const recipient = await identityToRecipient(await generateX25519Identity());
  const encrypt = ['--secrets', 'encrypt', '--age-recipient', recipient];
  assert.equal((await archive(directory.path, ...encrypt)).code, 0);
  assert.equal((await report(directory.path, ...encrypt)).code, 0);
  const other = await report(directory.path, 'shop');
  assert.equal(other.code, 3);
  assert.deepEqual(differences(other.report), []);
  assert.match(other.stderr + other.stdout, /archived with --secrets encrypt/);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', namespace: 'shop' },
    stringData: { p: 'y' },
  };
  await cluster.apply(secret);
  const changed = await verify(directory.path, ...encrypt, 'shop');
  assert.equal(changed.code, 1, changed.stdout + changed.stderr);
  assert.match(changed.stdout, /^shop: secrets\/db\.json is different/m);
  assert.doesNotMatch(changed.stdout, /eQ==|eA==/);
  await cluster.apply({ ...secret, stringData: { p: 'x' } });
});

test('without the fingerprint key secrets are not compared, all else is, and no key is made', async () => {
  await using directory = await temporaryDirectory();
  assert.equal((await archive(directory.path)).code, 0);
  rmSync(join(directory.path, 'fingerprint.key'));
  const ended = await report(directory.path, 'shop');
  assert.equal(ended.code, 3);
  assert.deepEqual(differences(ended.report), []);
  assert.ok(
    ended.report.unread.some(({ resource, code }) => resource === 'secrets' && code === 'FINGERPRINT_KEY_INVALID'),
  );
  assert.deepEqual(
    readdirSync(directory.path).filter((name) => name.startsWith('fingerprint')),
    [],
  );
});

test('damage is found wherever it is, and --repair mends it, once no archiver runs', async () => {
  await using directory = await temporaryDirectory();
  assert.equal((await archive(directory.path)).code, 0);
  await put('shop', 'app', 'second');
  assert.equal((await archive(directory.path)).code, 0);
  // An old version: nothing but a look at everything finds this.
  const id = (await git(directory.path, 'shop', 'rev-parse', 'main~1:configmaps/app.json')).trim();
  damageObject(join(directory.path, 'shop.git'), id);
  const found = await report(directory.path);
  assert.equal(found.code, 1);
  const [shop] = found.report.repositories.filter(({ isDamaged }) => isDamaged);
  assert.equal(shop?.repository, 'shop');
  assert.ok(shop?.findings.some(({ where }) => where === `object ${id}`));
  {
    await using archiver = startArchiver(cluster.kubeconfig, directory.path);
    await archiver.waitFor('the lists', ({ event }) => event === 'synced');
    const refused = await verify(directory.path, '--repair');
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /^error: Cannot write ".*": process \d+ .* is archiving into it; nothing was changed, .*\n$/,
    );
    await archiver.stop();
  }
  const repaired = await verify(directory.path, '--repair', 'shop');
  assert.match(
    repaired.stderr,
    /^shop: objects\/pack\/\S+ .*; kept as quarantine\/shop-\S+\.git, made anew with 0 commits; /m,
  );
  assert.match(repaired.stdout, /^shop +yes +\d+ different +-$/m);
  assert.equal(repaired.code, 1);
  assert.equal((await archive(directory.path)).code, 0);
  assert.equal((await verify(directory.path)).code, 0);
  const nothing = await verify(directory.path, '--repair');
  assert.deepEqual([nothing.code, said(nothing)], [0, ['nothing to repair']]);
  await put('shop', 'app', '1');
});

test('a data directory or a name that is not there is said, and not made', async () => {
  await using directory = await temporaryDirectory();
  const none = join(directory.path, 'none');
  for (const args of [[], ['--repair']]) {
    const ended = await verify(none, ...args);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /^error: Cannot use the data directory/);
  }
  assert.deepEqual(readdirSync(directory.path), []);
  assert.equal((await archive(directory.path)).code, 0);
  const typo = await verify(directory.path, 'shpo');
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /^error: There is no repository "shpo" in /);
});
