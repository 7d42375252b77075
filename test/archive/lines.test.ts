import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Outcome } from '../../controller/core/outcome.ts';
import { KeeperError } from '../../controller/errors.ts';
import { file, git, paths, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { configMaps, namespaces, RecreatedCluster, services } from './lines-cluster.ts';
import { archiveScripted, committed, type RunOptions, watchScripted } from './run.ts';

/** A history belongs to the uid of its namespace: who gets the name next reads nothing of it, and it stays for those who may. */

interface Directory {
  readonly path: string;
}

/** `shop` and `office` with two objects each, archived. */
async function archived(directory: Directory): Promise<RecreatedCluster> {
  const cluster = new RecreatedCluster();
  for (const namespace of ['shop', 'office']) {
    cluster.make(namespace);
    cluster.put(namespace, 'same', 'as ever');
    cluster.put(namespace, 'app', 'of the first team');
  }
  await archiveScripted(cluster, directory.path);
  return cluster;
}

/** Deleted, and made again by another team; one object has the very same bytes. */
function recreate(cluster: RecreatedCluster, value = 'of the second team'): string {
  cluster.destroy('shop');
  const uid = cluster.make('shop');
  cluster.put('shop', 'same', 'as ever');
  cluster.put('shop', 'new', value);
  return uid;
}

/** A watching archive that ends with its test, however that ends. */
function watch(cluster: RecreatedCluster, path: string, options: RunOptions = {}) {
  const run = watchScripted(cluster, path, options);
  return { ...run, [Symbol.asyncDispose]: () => run.stop() };
}

function endedLines(directory: Directory): readonly string[] {
  return readdirSync(directory.path)
    .filter((name) => /^shop\..*\.git$/.test(name))
    .map((name) => name.slice(0, -4))
    .sort();
}

function of<Type extends Outcome['type']>(outcomes: readonly Outcome[], type: Type) {
  return outcomes.filter((outcome): outcome is Extract<Outcome, { type: Type }> => outcome.type === type);
}

async function objectsIn(directory: Directory, repository: string): Promise<ReadonlySet<string>> {
  const lines = (await git(directory.path, repository, 'rev-list', '--all', '--objects')).split('\n');
  return new Set(lines.map((line) => line.split(' ')[0] ?? '').filter((id) => id !== ''));
}

/** Every content that the repository has, reachable or not. */
async function contentsOf(directory: Directory, repository: string): Promise<string> {
  return await git(directory.path, repository, 'cat-file', '--batch-all-objects', '--batch');
}

const NEW_TREE = ['.kubekeeper/archive.json', 'configmaps/new.json', 'configmaps/same.json', 'namespaces/shop.json'];

/** One root commit with exactly what lives, and nothing of the former team. */
async function assertNewLine(directory: Directory, uid: string, tree: readonly string[] = NEW_TREE): Promise<void> {
  assert.deepEqual(await subjects(directory.path, 'shop'), [
    `first archive of namespace shop: ${tree.length - 1} objects`,
  ]);
  assert.deepEqual(await paths(directory.path, 'shop'), tree);
  const said = JSON.parse(await file(directory.path, 'shop', '.kubekeeper/archive.json')) as { namespace: object };
  assert.deepEqual(said.namespace, { line: uid.slice(0, 8), name: 'shop', uid });
  assert.doesNotMatch(await contentsOf(directory, 'shop'), /first team/);
  await git(directory.path, 'shop', 'fsck', '--strict', '--full');
}

/** All that was committed of the former team, and nothing of the next. */
async function assertOldLine(directory: Directory, name: string, commits: number): Promise<void> {
  assert.equal((await subjects(directory.path, name)).length, commits);
  assert.deepEqual(await paths(directory.path, name), ['.kubekeeper/archive.json']);
  const contents = await contentsOf(directory, name);
  assert.match(contents, /of the first team/);
  assert.doesNotMatch(contents, /second team/);
  await git(directory.path, name, 'fsck', '--strict', '--full');
}

const isNewLine = (outcome: Outcome) => outcome.type === 'new-line';
const isCommitOf = (repository: string) => (outcome: Outcome) =>
  outcome.type === 'committed' && outcome.repository === repository;

test('made again while nobody watched: the old line ends with a commit and is kept, the new one begins with what lives', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const oldUid = cluster.uidOf('shop');
  const uid = recreate(cluster);
  const outcomes = await archiveScripted(cluster, directory.path);
  const oldLine = `shop.${oldUid.slice(0, 8)}`;
  assert.deepEqual(of(outcomes, 'new-line'), [{ type: 'new-line', repository: 'shop', uid, oldUid, oldLine }]);
  assert.deepEqual(endedLines(directory), [oldLine]);
  await assertNewLine(directory, uid);
  await assertOldLine(directory, oldLine, 2);
  const message = await git(directory.path, oldLine, 'log', '-1', '--format=%B');
  assert.match(message, /^namespace shop deleted, and made again with another uid: this line ends: 3 objects\n/);
  assert.match(message, new RegExp(`\nNamespace-Uid: ${oldUid}\nNext-Namespace-Uid: ${uid}\n`));
  assert.deepEqual([of(outcomes, 'held'), of(outcomes, 'skipped')], [[], []]);
  assert.deepEqual(committed(await archiveScripted(cluster, directory.path)), []);
});

test('made again while it is watched: the new line has one commit with what lives, and later changes follow', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const listed = cluster.lists.length;
  const uid = recreate(cluster);
  const turned = await run.until('the new line', isNewLine);
  assert.ok(turned.type === 'new-line');
  const from = run.outcomes.indexOf(turned);
  await run.until('its first commit', isCommitOf('shop'), from);
  await assertNewLine(directory, uid);
  // Nobody else is listed again.
  assert.deepEqual(cluster.lists.slice(listed).sort(), ['configmaps of shop', 'namespaces', 'services of shop']);
  const next = run.outcomes.length;
  cluster.put('shop', 'new', 'changed');
  await run.until('a change', isCommitOf('shop'), next);
  cluster.delete(configMaps, 'shop', 'same');
  await run.until(
    'a deletion',
    (outcome) => isCommitOf('shop')(outcome) && JSON.stringify(outcome).includes('same'),
    next,
  );
  await run.stop();
  assert.equal((await subjects(directory.path, 'shop')).length, 3);
  assert.deepEqual(committed(await archiveScripted(cluster, directory.path)), []);
  await assertOldLine(directory, turned.oldLine, 2);
});

test('deleted for a while: its repository says that it is empty, and goes to nobody when the name is used again', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const oldUid = cluster.uidOf('shop');
  cluster.destroy('shop');
  await archiveScripted(cluster, directory.path);
  assert.deepEqual(endedLines(directory), []);
  const uid = cluster.make('shop');
  cluster.put('shop', 'same', 'as ever');
  cluster.put('shop', 'new', 'of the second team');
  await archiveScripted(cluster, directory.path);
  await assertNewLine(directory, uid);
  const oldLine = `shop.${oldUid.slice(0, 8)}`;
  assert.match((await subjects(directory.path, oldLine))[0] ?? '', /^namespace shop deleted: 3 objects went with it$/);
  await assertOldLine(directory, oldLine, 2);
});

test('made again exactly as it was: nothing differs but the uid, and that is enough for a line of its own', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  cluster.destroy('shop');
  const uid = cluster.make('shop');
  cluster.put('shop', 'same', 'as ever');
  cluster.put('shop', 'app', 'of the first team');
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.equal(of(outcomes, 'new-line').length, 1);
  assert.deepEqual(
    committed(outcomes).map(({ objects }) => objects),
    [3, 3],
  );
  assert.match(await file(directory.path, 'shop', '.kubekeeper/archive.json'), new RegExp(uid));
});

test('made again twice: three lines, each with its own', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const uids = [cluster.uidOf('shop'), recreate(cluster)];
  await archiveScripted(cluster, directory.path);
  cluster.destroy('shop');
  uids.push(cluster.make('shop'));
  cluster.put('shop', 'new', 'of the third team');
  await archiveScripted(cluster, directory.path);
  const [first = '', second = ''] = uids.map((uid) => `shop.${uid.slice(0, 8)}`);
  assert.deepEqual(endedLines(directory), [first, second].sort());
  await assertNewLine(
    directory,
    uids[2] ?? '',
    NEW_TREE.filter((path) => !path.includes('same')),
  );
  await assertOldLine(directory, first, 2);
  const contents = await contentsOf(directory, second);
  assert.doesNotMatch(contents, /first team|third team/);
  assert.match(contents, new RegExp(`"line": "${uids[1]?.slice(0, 8)}"`));
  assert.deepEqual(committed(await archiveScripted(cluster, directory.path)), []);
});

test('an ended line whose name is taken gets the next one', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const name = `shop.${cluster.uidOf('shop').slice(0, 8)}`;
  mkdirSync(join(directory.path, `${name}.git`));
  writeFileSync(join(directory.path, `${name}.git`, 'notes.txt'), 'somebody put this here');
  const uid = recreate(cluster);
  await archiveScripted(cluster, directory.path);
  assert.deepEqual(endedLines(directory), [name, `${name}-2`]);
  await assertNewLine(directory, uid);
});

test('the same uid turns nothing: what becomes of the Namespace is a change like any other', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  cluster.make('shop', { team: 'second' });
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.deepEqual([of(outcomes, 'new-line'), committed(outcomes).length], [[], 1]);
  assert.deepEqual(endedLines(directory), []);
  assert.equal((await subjects(directory.path, 'shop')).length, 2);
});

test('where namespaces may not be listed no uid is known, and the history goes on', async () => {
  await using directory = await temporaryDirectory();
  const cluster = new RecreatedCluster();
  cluster.denied.add('namespaces');
  cluster.make('shop');
  cluster.put('shop', 'app', 'of the first team');
  await archiveScripted(cluster, directory.path);
  cluster.destroy('shop');
  cluster.make('shop');
  cluster.put('shop', 'new', 'of the second team');
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.deepEqual([of(outcomes, 'new-line'), committed(outcomes).length], [[], 1]);
  assert.equal((await subjects(directory.path, 'shop')).length, 2);
});

test('a uid that becomes known is that of the line from then on', async () => {
  await using directory = await temporaryDirectory();
  const cluster = new RecreatedCluster();
  cluster.denied.add('namespaces');
  cluster.make('shop');
  cluster.put('shop', 'app', 'of the first team');
  await archiveScripted(cluster, directory.path);
  cluster.denied.clear();
  assert.deepEqual(of(await archiveScripted(cluster, directory.path), 'new-line'), []);
  const uid = recreate(cluster);
  assert.equal(of(await archiveScripted(cluster, directory.path), 'new-line').length, 1);
  await assertNewLine(directory, uid);
});

test('a large namespace that was made again is held by no guard: the uid proves that it is gone', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  for (let index = 0; index < 40; index++) cluster.put('shop', `map-${index}`, 'of the first team');
  await archiveScripted(cluster, directory.path);
  const uid = recreate(cluster);
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.deepEqual(of(outcomes, 'held'), []);
  await assertNewLine(directory, uid);
});

test('deletions that waited for a person go with the line that ends', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  for (let index = 0; index < 40; index++) cluster.put('shop', `map-${index}`, 'of the first team');
  const forgotten: string[] = [];
  const forget = async (repository: string) => void forgotten.push(repository);
  const ledger = { record: async () => undefined, allowed: () => undefined, forget };
  await archiveScripted(cluster, directory.path, { ledger });
  for (let index = 0; index < 40; index++) cluster.delete(configMaps, 'shop', `map-${index}`, { silently: true });
  await using run = watch(cluster, directory.path, { ledger });
  await run.until('the hold', ({ type }) => type === 'held');
  recreate(cluster);
  await run.until('the new line', isNewLine);
  assert.deepEqual(forgotten, ['shop']);
});

test('what the next team makes is not committed to the old line, also when its Namespace is seen long after', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const lag = cluster.lag(namespaces);
  const uid = recreate(cluster);
  const turned = await run.until('the new line', isNewLine);
  assert.ok(turned.type === 'new-line');
  await run.until('its first commit', isCommitOf('shop'), run.outcomes.indexOf(turned));
  await assertNewLine(directory, uid);
  await assertOldLine(directory, turned.oldLine, 2);
  lag.end();
  // The old Namespace's end and the new one's beginning come late and change nothing.
  cluster.put('office', 'app', 'changed');
  await run.until('another commit', isCommitOf('office'), run.outcomes.indexOf(turned));
  await run.stop();
  await assertNewLine(directory, uid);
});

test('what a watch that lags still tells of the former team does not come to the new line', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const lag = cluster.lag(configMaps);
  cluster.put('shop', 'plan', 'of the first team');
  cluster.put('shop', 'new', 'of the first team too');
  const uid = recreate(cluster);
  const turned = await run.until('the new line', isNewLine);
  await run.until('its first commit', isCommitOf('shop'), run.outcomes.indexOf(turned));
  await assertNewLine(directory, uid);
  // The plan and the former `new`; then long enough nothing for a window, before their deletions are told.
  lag.pass(2);
  await sameTree(run, cluster, directory);
  // The deletions of all that the first team had.
  lag.pass(4);
  await sameTree(run, cluster, directory);
  lag.end();
  await sameTree(run, cluster, directory);
  await assertNewLine(directory, uid);
  cluster.put('shop', 'new', 'changed');
  await run.until('a change', isCommitOf('shop'), run.outcomes.length);
  await run.stop();
  assert.deepEqual(committed(await archiveScripted(cluster, directory.path)), []);
});

/** A window of another namespace opens and closes, and with it any that was open before. */
async function sameTree(run: ReturnType<typeof watch>, cluster: RecreatedCluster, directory: Directory): Promise<void> {
  const from = run.outcomes.length;
  const tree = await paths(directory.path, 'shop');
  cluster.put('office', 'web', `at ${from}`, services);
  await run.until('another window', isCommitOf('office'), from);
  assert.deepEqual(run.outcomes.slice(from).filter(isCommitOf('shop')), []);
  assert.deepEqual(await paths(directory.path, 'shop'), tree);
}

test('a list that was under way when the line turned deletes nothing of the new line', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const lag = cluster.lag(configMaps);
  // The list that is told late names only what was there before.
  cluster.relist(configMaps);
  const uid = recreate(cluster);
  const turned = await run.until('the new line', isNewLine);
  await run.until('its first commit', isCommitOf('shop'), run.outcomes.indexOf(turned));
  const from = run.outcomes.length;
  // Its beginning, four objects, its end.
  lag.pass(6);
  await run.until('the late list', (outcome) => outcome.type === 'listed' && outcome.resource === 'configmaps', from);
  await sameTree(run, cluster, directory);
  lag.end();
  await sameTree(run, cluster, directory);
  await run.stop();
  await assertNewLine(directory, uid);
});

test('made again once more before anything was committed: only what lives now is, and there is one ended line', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path, { window: { silenceMs: 300, maximumMs: 2000 } });
  await run.until('the first lists', ({ type }) => type === 'synced');
  recreate(cluster, 'of a team in between');
  await run.until('the new line', isNewLine);
  const uid = recreate(cluster);
  const last = await run.until(
    'the last line',
    (outcome) => isCommitOf('shop')(outcome) && JSON.stringify(outcome).includes('first archive'),
  );
  assert.ok(last);
  await run.stop();
  await assertNewLine(directory, uid);
  assert.equal(endedLines(directory).length, 1);
  assert.doesNotMatch(await contentsOf(directory, 'shop'), /in between/);
});

test('nothing is committed before the whole namespace was listed, and a stop in between leaves it to the next start', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const { promise: never } = Promise.withResolvers<void>();
  const listing = Promise.withResolvers<void>();
  for (const isStopped of [true, false]) {
    cluster.beforeList = (resource) => (resource !== 'services' ? undefined : isStopped ? never : listing.promise);
    await using run = watch(cluster, directory.path);
    await run.until('the first lists', ({ type }) => type === 'synced');
    if (!isStopped) await run.until('what the start before has left', isCommitOf('shop'));
    const uid = recreate(cluster);
    const turned = await run.until('the new line', isNewLine);
    const from = run.outcomes.indexOf(turned);
    for (const value of ['one', 'two']) {
      cluster.put('office', 'app', `${value} ${isStopped}`);
      await run.until('another window', isCommitOf('office'), run.outcomes.length);
    }
    assert.deepEqual(run.outcomes.slice(from).filter(isCommitOf('shop')), []);
    if (!isStopped) {
      listing.resolve();
      await run.until('its first commit', isCommitOf('shop'), from);
      await assertNewLine(directory, uid);
    }
  }
});

test('the cluster is asked whose a namespace is where something came, and not where something changed or went', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const change = async (what: string, act: () => void) => {
    const from = run.outcomes.length;
    const asked = cluster.questions.length;
    act();
    await run.until(what, isCommitOf('shop'), from);
    return cluster.questions.slice(asked).filter((question) => question === 'namespaces/shop').length;
  };
  assert.equal(await change('the first of a run', () => cluster.put('shop', 'app', 'one')), 1);
  assert.equal(await change('a change', () => cluster.put('shop', 'app', 'two')), 0);
  assert.equal(await change('something new', () => cluster.put('shop', 'web', 'one', services)), 1);
  assert.equal(await change('a deletion', () => cluster.delete(services, 'shop', 'web')), 0);
  await run.stop();
});

test('while the cluster does not say whose a namespace is nothing new of it is committed, and all else is', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const silent = new KeeperError('no answer', { kind: 'transient', code: 'CLUSTER_UNREACHABLE' });
  cluster.question = () => Promise.reject(silent);
  const lag = cluster.lag(namespaces);
  const uid = recreate(cluster);
  cluster.delete(configMaps, 'office', 'app');
  await run.until('the other', isCommitOf('office'));
  assert.equal((await subjects(directory.path, 'shop')).length, 1);
  cluster.question = () => undefined;
  const turned = await run.until('the new line', isNewLine);
  await run.until('its first commit', isCommitOf('shop'), run.outcomes.indexOf(turned));
  lag.end();
  await run.stop();
  await assertNewLine(directory, uid);
});

test('a cluster that never says whose a namespace is holds its commits back for half a minute and no longer', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const monotonic = () => performance.now() * 20;
  await using run = watch(cluster, directory.path, { clock: { wall: Date.now, monotonic } });
  await run.until('the first lists', ({ type }) => type === 'synced');
  cluster.question = () => Promise.resolve(undefined);
  const began = monotonic();
  cluster.put('shop', 'more', 'of the first team');
  await run.until('the commit', isCommitOf('shop'));
  const waited = monotonic() - began;
  assert.ok(waited >= 30_000, `${waited} ms`);
  await run.stop();
});

test('a stop does not wait for an answer, and a line that would turn is left to the next start', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  await using run = watch(cluster, directory.path, { window: { silenceMs: 60_000, maximumMs: 60_000 } });
  await run.until('the first lists', ({ type }) => type === 'synced');
  const { promise: isTaken, resolve } = Promise.withResolvers<void>();
  cluster.taken = (change) => {
    if ('object' in change && change.object.metadata.name === 'new') resolve();
  };
  const uid = recreate(cluster);
  await isTaken;
  await run.stop();
  assert.deepEqual(endedLines(directory), []);
  assert.doesNotMatch(await contentsOf(directory, 'shop'), /second team/);
  await archiveScripted(cluster, directory.path);
  await assertNewLine(directory, uid);
});

/** The word of whoever restores. */
function continues(directory: Directory, line: object): void {
  mkdirSync(join(directory.path, 'continues'), { recursive: true });
  writeFileSync(join(directory.path, 'continues', 'shop.json'), JSON.stringify(line));
}

test('a namespace that a restore made again goes on with its line, byte for byte', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const oldUid = cluster.uidOf('shop');
  const tree = await git(directory.path, 'shop', 'rev-parse', 'main^{tree}');
  cluster.destroy('shop');
  await archiveScripted(cluster, directory.path);
  const restore = () => {
    const uid = cluster.make('shop');
    cluster.put('shop', 'same', 'as ever');
    cluster.put('shop', 'app', 'of the first team');
    continues(directory, { uid, of: oldUid });
  };
  restore();
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.deepEqual(of(outcomes, 'new-line'), []);
  assert.equal(await git(directory.path, 'shop', 'rev-parse', 'main^{tree}'), tree);
  assert.equal((await subjects(directory.path, 'shop')).length, 3);
  // And once more, with the next uid.
  cluster.destroy('shop');
  restore();
  assert.deepEqual(committed(await archiveScripted(cluster, directory.path)), []);
  assert.equal(await git(directory.path, 'shop', 'rev-parse', 'main^{tree}'), tree);
});

test('while a restore is making the namespace the line waits for its uid, and then goes on', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const oldUid = cluster.uidOf('shop');
  await using run = watch(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  continues(directory, { of: oldUid });
  const uid = recreate(cluster);
  const asked = cluster.questions.length;
  while (cluster.questions.length < asked + 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(endedLines(directory), []);
  continues(directory, { uid, of: oldUid });
  await run.until('a commit', isCommitOf('shop'));
  await run.stop();
  assert.deepEqual(of(run.outcomes, 'new-line'), []);
});

for (const [what, line] of [
  ['another namespace', { uid: 'ffffffff-0000', of: 'OLD' }],
  ['another line', { uid: 'NEW', of: 'ffffffff-0000' }],
  ['nobody', { uid: 'NEW' }],
  ['no uid that is one', { uid: 7, of: 'OLD' }],
] as const) {
  test(`a word for ${what} opens the history to nobody`, async () => {
    await using directory = await temporaryDirectory();
    const cluster = await archived(directory);
    const oldUid = cluster.uidOf('shop');
    const uid = recreate(cluster);
    continues(directory, JSON.parse(JSON.stringify(line).replace('OLD', oldUid).replace('NEW', uid)) as object);
    assert.equal(of(await archiveScripted(cluster, directory.path), 'new-line').length, 1);
    await assertNewLine(directory, uid);
  });
}

test('killed at any moment of the turn, the next start completes it', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  const uid = recreate(cluster);
  // The disk at each moment before something can be seen on it: what a kill there leaves.
  const moments: string[] = [];
  await using copies = await temporaryDirectory();
  const keep = async () => {
    const copy = join(copies.path, String(moments.length));
    cpSync(directory.path, copy, { recursive: true });
    moments.push(copy);
  };
  await archiveScripted(cluster, directory.path, { guard: keep });
  await keep();
  const states = new Set<string>();
  for (const path of moments) {
    const at = { path };
    const before = endedLines(at).length === 0 ? `${(await subjects(path, 'shop')).length} commits` : 'moved';
    states.add(before);
    await archiveScripted(cluster, path);
    await assertNewLine(at, uid);
    const [oldLine = '', ...others] = endedLines(at);
    assert.deepEqual(others, []);
    await assertOldLine(at, oldLine, 2);
    assert.deepEqual(committed(await archiveScripted(cluster, path)), []);
  }
  assert.deepEqual([...states], ['1 commits', '2 commits', 'moved']);
});

test("an ended line is nobody's namespace: nothing is archived into it, and damage of it keeps nobody from archiving", async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory);
  recreate(cluster);
  await archiveScripted(cluster, directory.path);
  const [oldLine = ''] = endedLines(directory);
  const before = await objectsIn(directory, oldLine);
  writeFileSync(join(directory.path, `${oldLine}.git`, 'refs/heads/main'), '');
  cluster.put('shop', 'new', 'changed');
  const outcomes = await archiveScripted(cluster, directory.path);
  assert.deepEqual(
    committed(outcomes).map(({ repository }) => repository),
    ['shop'],
  );
  assert.deepEqual(of(outcomes, 'quarantined'), []);
  assert.ok(before.size > 0);
});
