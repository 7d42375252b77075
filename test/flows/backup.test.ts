import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import { type Ended, eventually, git, keeper, startArchiver, subjects, temporaryDirectory } from './keeper.ts';

/** `backup`, `data` and `prune` as people type them, on a real node with a real driver. */

const skip = await missingForNode();

interface BackupDocument {
  readonly results: readonly {
    readonly repository: string;
    readonly commit: string;
    readonly by: string;
    readonly grade: string;
    readonly words: string;
    readonly claims: readonly { readonly name: string; readonly state: string; readonly why?: string }[];
  }[];
}

let world: TestNode;
let kubeconfig: string;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
before(async () => {
  if (skip !== false) return;
  place = await temporaryDirectory();
  world = await startTestNode({ groupSnapshots: false });
  for (const name of ['shop', 'empty', 'old']) await world.createNamespace(name);
  for (const name of ['data', 'logs']) await world.createClaim('shop', name);
  // All that is done here is done with the rights that config/ gives.
  const role = parseAllDocuments(await readFile('config/rbac/archiver.yaml', 'utf8'))
    .map((one) => one.toJS() as { kind: string; rules: object[] })
    .find(({ kind }) => kind === 'ClusterRole');
  ({ kubeconfig } = await world.cluster.createUser('as-archiver', role?.rules ?? []));
  await world.runPod('shop', 'web', ['data', 'logs']);
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  await place?.[Symbol.asyncDispose]();
});
afterEach(() => world?.node.faults.clear());

const dataOf = (name: string) => join(place.path, name);

async function policy(text: string): Promise<string> {
  const path = join(place.path, `${Math.random().toString(36).slice(2)}.yaml`);
  await writeFile(path, text);
  return path;
}

function run(data: string, verb: string, ...args: readonly string[]): Promise<Ended> {
  const needsCluster = verb !== 'data';
  const connection = needsCluster ? ['--kubeconfig', kubeconfig] : [];
  return keeper([verb, ...args, '--data-dir', data, ...connection]);
}

function parsed(ended: Ended): BackupDocument {
  assert.notEqual(ended.stdout, '', ended.stderr);
  return JSON.parse(ended.stdout) as BackupDocument;
}

const statesOf = ({ results }: BackupDocument) =>
  Object.fromEntries(results.flatMap(({ claims }) => claims.map(({ name, state }) => [name, state])));

test('where nobody archives, a backup archives by itself, forces snapshots each time and waits for them', {
  skip,
}, async () => {
  const data = dataOf('alone');
  const first = await run(data, 'backup', 'shop');
  assert.equal(first.code, 0, first.stdout + first.stderr);
  assert.match(first.stdout, /^shop: commit [0-9a-f]{10}; volumes: crash-consistent: 2 claims, cut within/);
  assert.match(first.stdout, /^ {2}data {2}ready {2}\d+ MiB {2}cut 20\d\d-/m);
  assert.match(first.stdout, /^ {2}logs {2}ready {2}/m);

  const again = parsed(await run(data, 'backup', 'shop', '-o', 'json'));
  assert.deepEqual(statesOf(again), { data: 'ready', logs: 'ready' });
  assert.equal(again.results[0]?.by, 'us');
  assert.equal((await subjects(data, 'shop'))[0], 'volumes of shop: 2 snapshots');
  const note = await git(data, 'shop', 'notes', '--ref=data', 'show', 'main');
  assert.equal((JSON.parse(note) as { grade: string }).grade, 'crash-consistent');
});

test('a tag is on the commit; one that exists is refused before anything is asked for', { skip }, async () => {
  const data = dataOf('tagged');
  const tagged = await run(data, 'backup', 'shop', '--tag', 'good/one', '-m', 'before 2.0');
  assert.equal(tagged.code, 0, tagged.stderr);
  assert.match(tagged.stdout, /^shop: commit [0-9a-f]{10}, good\/one; volumes: /);
  assert.match(await git(data, 'shop', 'cat-file', 'tag', 'good/one'), /\n\nbefore 2\.0\n$/);
  const before = (await world.node.snapshots()).length;
  const again = await run(data, 'backup', 'shop', '--tag', 'good/one');
  assert.deepEqual([again.code, /The tag "good\/one" exists/.test(again.stderr)], [2, true], again.stderr);
  const ours = await run(data, 'backup', 'shop', '--tag', 'pre/one');
  assert.deepEqual([ours.code, /kubekeeper's own/.test(ours.stderr)], [2, true], ours.stderr);
  assert.equal((await world.node.snapshots()).length, before);
});

test('beside a running archiver it asks that one; without a policy that one refuses, and says what to do', {
  skip,
}, async () => {
  const data = dataOf('beside');
  {
    await using archiver = startArchiver(kubeconfig, data, '--namespaces', 'shop');
    await archiver.waitFor('the first commit', ({ event }) => event === 'committed');
    const refused = await run(data, 'backup', 'shop');
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /saves no volume data; nothing was changed, start it with a --config file/);
  }
  const config = await policy('includedNamespaces: [shop]\ndata: { minimumInterval: 1h }\n');
  await using archiver = startArchiver(kubeconfig, data, '--config', config);
  await archiver.waitFor('its own snapshots', ({ event }) => event === 'snapshots-decided');
  const commits = (await subjects(data, 'shop')).length;
  const asked = await run(data, 'backup', 'shop', '-o', 'json', '--tag', 'good/beside');
  assert.equal(asked.code, 0, asked.stderr);
  assert.equal(parsed(asked).results[0]?.by, 'archiver');
  assert.deepEqual(statesOf(parsed(asked)), { data: 'ready', logs: 'ready' });
  assert.equal((await subjects(data, 'shop')).length, commits + 1);
  const told = await archiver.waitFor('the request', ({ event, result }) => event === 'requested' && result === 'done');
  assert.deepEqual(
    [told['what'], told['tag'], told['commit']],
    ['backup', 'good/beside', parsed(asked).results[0]?.commit],
  );
  const elsewhere = await run(data, 'backup', 'office');
  assert.deepEqual([elsewhere.code, /does not archive "office"/.test(elsewhere.stderr)], [2, true], elsewhere.stderr);
  const prune = await run(data, 'prune', '--config', config);
  assert.deepEqual([prune.code, /prunes by itself/.test(prune.stderr)], [2, true], prune.stderr);
});

test('where the archiver is killed while a backup waits, nobody says that the data is there; the next start knows', {
  skip,
}, async () => {
  const data = dataOf('killed');
  const config = await policy('includedNamespaces: [shop]\ndata: { timeout: 20s }\n');
  await world.node.faults.set({ call: 'CreateSnapshot', claim: 'shop/logs', neverReady: true });
  {
    await using archiver = startArchiver(kubeconfig, data, '--config', config);
    await archiver.waitFor('the first snapshots', ({ event }) => event === 'snapshots-asked');
    const from = archiver.lines.length;
    const asked = run(data, 'backup', 'shop');
    await archiver.waitFor('its answer', ({ event }) => event === 'requested', { from });
    await archiver.stop('SIGKILL');
    const ended = await asked;
    assert.equal(ended.code, 1, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /volumes: pending: /);
    assert.match(ended.stdout, /^ {2}logs {2}pending /m);
  }
  const next = await run(data, 'archive', '--once', '--config', config);
  assert.equal(next.code, 3, next.stdout + next.stderr);
  assert.match(next.stderr, /volumes of shop: partial: 1 of 2 claims \(logs: not ready after 20 s/);
  const { stdout } = await run(data, 'data', 'shop', '--config', config);
  assert.doesNotMatch(stdout, /pending/);
  assert.equal(stdout.match(/^20.*old {2}partial: 1 of 2 claims/gm)?.length, 2, stdout);
});

test('a backup does not rewrite Secrets because a flag was left out, and takes names, no globs', { skip }, async () => {
  const data = dataOf('secrets');
  const omitted = await run(data, 'archive', '--once', '--namespaces', 'empty', '--secrets', 'omit');
  assert.equal(omitted.code, 0, omitted.stderr);
  const refused = await run(data, 'backup', 'empty');
  assert.equal(refused.code, 2, refused.stdout);
  assert.match(refused.stderr, /is archived with --secrets omit, and this would be fingerprint; nothing was changed/);
  assert.equal((await run(data, 'backup', 'empty', '--secrets', 'omit')).code, 0);
  const glob = await run(data, 'backup', 'e*');
  assert.deepEqual([glob.code, /takes names of namespaces, not "e\*"/.test(glob.stderr)], [2, true], glob.stderr);
});

test('where one of two claims fails, exit code 3 and the reason; the other one is saved', { skip }, async () => {
  await world.node.faults.set({
    call: 'CreateSnapshot',
    claim: 'shop/logs',
    code: 'INTERNAL',
    message: 'disk 7 is broken',
  });
  const config = await policy('data: { timeout: 4s }\n');
  const ended = await run(dataOf('partial'), 'backup', 'shop', '--config', config);
  assert.equal(ended.code, 3, ended.stdout + ended.stderr);
  assert.match(ended.stdout, /volumes: partial: 1 of 2 claims \(logs: .*disk 7 is broken/);
  assert.match(ended.stdout, /^ {2}data {2}ready /m);
  assert.match(ended.stdout, /^ {2}logs {2}failed .*not ready after 4 s.*disk 7 is broken/m);
  const once = await run(dataOf('partial'), 'archive', '--once', '--namespaces', 'shop', '--config', config);
  assert.equal(once.code, 0, once.stderr);
});

test('a namespace without claims is backed up whole, and says so', { skip }, async () => {
  const ended = await run(dataOf('empty'), 'backup', 'empty');
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^empty: commit [0-9a-f]{10}; volumes: none: no claims$/m);
  const nowhere = await run(dataOf('empty'), 'backup', 'nowhere');
  assert.equal(nowhere.code, 2, nowhere.stdout + nowhere.stderr);
  assert.match(nowhere.stderr, /There is no "nowhere" in the cluster to archive; nothing was saved/);
});

test('claims that no class can snapshot are named with exit code 3, each time, also beside an archiver', {
  skip,
}, async () => {
  await world.cluster.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'plain' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: '/tmp/none' },
      storageClassName: '',
      claimRef: { namespace: 'old', name: 'plain' },
    },
  });
  await world.createClaim('old', 'plain', { storageClass: '' });
  await world.waitFor('old', 'pvc/plain', '.status.phase', 'Bound');
  const data = dataOf('old');
  const config = await policy('includedNamespaces: [old]\ndata: {}\n');
  const once = await run(data, 'archive', '--once', '--config', config);
  assert.equal(once.code, 3, once.stdout + once.stderr);
  assert.match(once.stderr, /volumes of old: .*plain/);
  for (let time = 0; time < 2; time++) {
    const ended = await run(data, 'backup', 'old', '--config', config);
    assert.equal(ended.code, 3, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /volumes: none: 0 of 1 claim \(plain: /);
    assert.match(ended.stdout, /^ {2}plain {2}impossible /m);
  }
  await using archiver = startArchiver(kubeconfig, data, '--config', config);
  await archiver.waitFor('the first lists', ({ event }) => event === 'synced');
  const beside = await run(data, 'backup', 'old', '--config', config);
  assert.equal(beside.code, 3, beside.stdout + beside.stderr);
  assert.match(beside.stdout, /^ {2}plain {2}impossible /m);
});

test('data shows each point with its claims and why it stays; prune says the same, and then it goes', {
  skip,
}, async () => {
  const data = dataOf('pruned');
  for (const tag of [['--tag', 'good/first'], [], []]) {
    const { code, stderr } = await run(data, 'backup', 'shop', ...tag);
    assert.equal(code, 0, stderr);
  }
  const plain = await run(data, 'data', 'shop');
  assert.equal(plain.code, 0, plain.stderr);
  assert.match(plain.stderr, /no policy given \(--config\): all is kept/);
  assert.equal(plain.stdout.match(/^ {2}1 commit points at it$/gm)?.length, 3, plain.stdout);
  assert.match(plain.stdout, /crash-consistent: 2 claims.* {2}\[good\/first\]$/m);

  const config = await policy('data: { retention: { keepLast: 1 } }\n');
  const kept = await run(data, 'data', 'shop', '--config', config);
  assert.match(kept.stdout, /; kept: last snapshot/);
  assert.match(kept.stdout, /; goes: no rule keeps it/);
  assert.match(kept.stdout, /; kept: tag good\/first/);

  const dry = await run(data, 'prune', '--config', config, '--dry-run');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stdout,
    /^shop: 2 stay, 1 go with 2 snapshots\n {2}keep .*ready {2}last snapshot\n {2}go .*no rule/m,
  );
  const before = await world.node.snapshots();
  const pruned = await run(data, 'prune', 'shop', '--config', config);
  assert.equal(pruned.code, 0, pruned.stderr);
  assert.match(pruned.stdout, /^shop: 2 snapshots are gone$/m);
  assert.equal((await world.node.snapshots()).length, before.length - 2);

  const after = await run(data, 'data', 'shop', '--config', config, '-o', 'json');
  const { points } = JSON.parse(after.stdout) as { points: { isPruned: boolean; grade: string }[] };
  assert.deepEqual(
    points.map(({ isPruned }) => isPruned),
    [false, true, false],
  );
  assert.match((await run(data, 'data', 'shop')).stderr, /1 more was pruned, --pruned shows them/);
  assert.equal((await run(data, 'prune')).code, 2);
  await eventually('nothing is left to do', async () => {
    const { stdout } = await run(data, 'prune', 'shop', '--config', config, '-o', 'json');
    return (JSON.parse(stdout) as { repositories: { removed: string[] }[] }).repositories[0]?.removed.length === 0;
  });
});
