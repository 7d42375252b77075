import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { contentsOf, damage, damageObject, findObject, flip, HOWS, type How } from '../git/damages.ts';
import { type Ended, git, keeper, startArchiver, temporaryDirectory } from './keeper.ts';

/**
 * Each file of a repository, damaged in each way, on a real cluster: one namespace per case in one data directory, which is then
 * archived once. What came of it is judged by the real Git.
 */

/** Oldest first. Each is a pack of its own. */
type Commits = readonly string[];

interface Case {
  readonly part: string;
  readonly how: string;
  readonly change: (repository: string, commits: Commits) => void;
  /** So many commits live on in a new repository; undefined where nothing is to be set aside. */
  readonly saved: number | undefined;
}

const ALL = 3;
const AT: Readonly<Record<How, number>> = { truncated: 0.4, emptied: 0, flipped: 0.6, removed: 0 };

function each(part: string, file: (repository: string, commits: Commits) => string, saved: number): Case[] {
  return HOWS.map((how) => ({
    part,
    how,
    saved,
    change: (repository, commits) => damage(join(repository, file(repository, commits)), how, AT[how]),
  }));
}

const head = (commits: Commits) => commits.at(-1) as string;
const packOf = (suffix: string) => (repository: string, commits: Commits) =>
  findObject(repository, head(commits)).pack + suffix;

const CASES: readonly Case[] = [
  ...each('the pack of HEAD', packOf('.pack'), ALL - 1).filter(({ how }) => how !== 'flipped'),
  {
    part: 'the commit at HEAD',
    how: 'flipped',
    saved: ALL - 1,
    change: (at, commits) => damageObject(at, head(commits)),
  },
  {
    part: 'an old version',
    how: 'flipped',
    saved: undefined,
    change: (at) => damageObject(at, oldVersions.get(at) as string),
  },
  ...each('its index', packOf('.idx'), ALL),
  ...each('the branch', () => 'refs/heads/main', ALL),
  ...each('packed-refs', (at) => packRefs(at), ALL),
  ...each('HEAD', () => 'HEAD', ALL),
  ...each('config', () => 'config', ALL).filter(({ how }) => how !== 'flipped'),
  {
    part: 'config',
    how: 'flipped',
    saved: ALL,
    change: (at) => flip(join(at, 'config'), bitOf(join(at, 'config'), 'bare')),
  },
  ...each('a tag', () => 'refs/tags/good/one', ALL).map(unlessRemoved),
  ...each('the notes', () => 'refs/notes/data', ALL).map(unlessRemoved),
  {
    part: 'a mark beside a pack',
    how: 'truncated',
    saved: undefined,
    change: (at, commits) => writeFileSync(join(at, packOf('.keep')(at, commits)), 'kube'),
  },
  {
    part: 'the packs',
    how: 'removed',
    saved: 0,
    change: (at) => rmSync(join(at, 'objects/pack'), { recursive: true }),
  },
  { part: 'the packs', how: 'emptied', saved: 0, change: (at) => emptyDirectory(join(at, 'objects/pack')) },
  { part: 'the refs', how: 'removed', saved: ALL, change: (at) => rmSync(join(at, 'refs'), { recursive: true }) },
  { part: 'the refs', how: 'emptied', saved: ALL, change: (at) => emptyDirectory(join(at, 'refs')) },
  { part: 'the archive file', how: 'flipped', saved: 0, change: damageArchiveFile },
];

/** Nobody can know of a tag or a note that is gone, nor miss it. */
function unlessRemoved(each: Case): Case {
  return each.how === 'removed' ? { ...each, saved: undefined } : each;
}

/** As `git pack-refs` leaves them. */
function packRefs(repository: string): string {
  const main = join(repository, 'refs/heads/main');
  writeFileSync(
    join(repository, 'packed-refs'),
    `# pack-refs with: peeled \n${readFileSync(main, 'utf8').trim()} refs/heads/main\n`,
  );
  rmSync(main);
  return 'packed-refs';
}

function bitOf(path: string, text: string): number {
  return readFileSync(path).indexOf(text) * 8;
}

function emptyDirectory(path: string): void {
  for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true });
}

/** It is the same in every commit, so none is whole without it. */
function damageArchiveFile(repository: string): void {
  damageObject(repository, archiveFiles.get(repository) as string);
}

const namespaceOf = (index: number) => `case-${index}`;
const archiveFiles = new Map<string, string>();
/** What the first commit has and the last one has not. */
const oldVersions = new Map<string, string>();
const commitsOf = new Map<string, Commits>();
const damagedContents = new Map<string, ReadonlyMap<string, string>>();

let cluster: Cluster;
let data: string;
let once: Ended;

before(async () => {
  cluster = await startCluster({ controllerManager: false });
  data = mkdtempSync(join(tmpdir(), 'kubekeeper-quarantine-'));
  const names = [...CASES.keys()].map(namespaceOf);
  await Promise.all([...names, 'bystander'].map((name) => create(name)));
  for (const value of ['first', 'second', 'third']) {
    await Promise.all([...names, 'bystander'].map((name) => put(name, value)));
    assert.equal((await archive(data)).code, 0);
  }
  for (const [index, { change }] of CASES.entries()) await damageOne(namespaceOf(index), change);
  // So that there is something to archive everywhere.
  await Promise.all([...names, 'bystander'].map((name) => put(name, 'fourth')));
  once = await archive(data);
});
after(async () => {
  rmSync(data, { recursive: true, force: true });
  await cluster[Symbol.asyncDispose]();
});

async function create(name: string): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'same', namespace: name },
    data: { a: '1' },
  });
}

async function put(namespace: string, value: string): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'app', namespace }, data: { value } });
}

function archive(directory: string): Promise<Ended> {
  const scope = ['--resources', 'configmaps,namespaces', '--namespaces', 'case-*,bystander'];
  return keeper(['archive', '--once', '--kubeconfig', cluster.kubeconfig, '--data-dir', directory, ...scope]);
}

async function damageOne(name: string, change: Case['change']): Promise<void> {
  const repository = join(data, `${name}.git`);
  const commits = (await git(data, name, 'rev-list', '--reverse', 'main')).trim().split('\n');
  assert.equal(commits.length, ALL);
  commitsOf.set(name, commits);
  archiveFiles.set(repository, (await git(data, name, 'rev-parse', 'main:.kubekeeper/archive.json')).trim());
  oldVersions.set(repository, (await git(data, name, 'rev-parse', `${commits[0]}:configmaps/app.json`)).trim());
  const somebody = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
  await git(data, name, ...somebody, 'tag', '-a', '-m', 'known good', 'good/one', commits[0] as string);
  await git(data, name, ...somebody, 'notes', '--ref=data', 'add', '-m', 'ready', commits[0] as string);
  change(repository, commits);
  damagedContents.set(name, contentsOf(repository));
}

/** Without the lines that say how far a slow machine is. */
function said({ stderr }: Ended): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('listing: '));
}

test('a single run says each repository that was set aside in one line, archives all others, and ends with 3', () => {
  assert.equal(once.code, 3, once.stderr);
  const lines = said(once);
  const expected = CASES.flatMap(({ saved }, index) => (saved === undefined ? [] : [namespaceOf(index)]));
  const told = lines.map((line) => /^quarantined (\S+): /.exec(line)?.[1]);
  assert.deepEqual(told.sort(), expected.sort(), once.stderr);
  assert.match(once.stdout, /bystander +[0-9a-f]{10} +configmaps\/app: value third -> fourth/);
});

for (const [index, { part, how, saved }] of CASES.entries()) {
  const name = namespaceOf(index);
  test(`${part} ${how}: ${saved === undefined ? 'not set aside' : `${saved} commits are saved`}`, async () => {
    const aside = readdirSync(join(data, 'quarantine')).filter((one) => one.startsWith(`${name}-2`));
    assert.equal(aside.length, saved === undefined ? 0 : 1);
    for (const one of aside) assert.deepEqual(contentsOf(join(data, 'quarantine', one)), damagedContents.get(name));
    const commits = (await git(data, name, 'rev-list', '--reverse', 'main')).trim().split('\n');
    const old = commitsOf.get(name) as Commits;
    // What nobody reads is not found by an archive: Git complains as before, and so does verify.
    if (part !== 'an old version') await git(data, name, 'fsck', '--strict', '--full');
    assert.deepEqual(commits.slice(0, -1), old.slice(0, saved ?? ALL));
    const manifest = JSON.parse(await git(data, name, 'show', 'main:configmaps/app.json')) as {
      data: { value: string };
    };
    assert.equal(manifest.data.value, 'fourth');
    const isTagKept = saved === undefined ? part !== 'a tag' : saved > 0;
    assert.equal((await git(data, name, 'tag', '--list')).trim(), isTagKept ? 'good/one' : '');
  });
}

test('afterwards every tree equals that of a fresh archive, and a second run has nothing to say', async () => {
  await using fresh = await temporaryDirectory();
  copyFileSync(join(data, 'fingerprint.key'), join(fresh.path, 'fingerprint.key'));
  assert.equal((await archive(fresh.path)).code, 0);
  for (const name of readdirSync(fresh.path).filter((one) => one.endsWith('.git'))) {
    const trees = [data, fresh.path].map((directory) => git(directory, name.slice(0, -4), 'rev-parse', 'main^{tree}'));
    const [own, expected] = await Promise.all(trees);
    assert.equal(own, expected, name);
  }
  const again = await archive(data);
  assert.deepEqual([again.code, said(again)], [0, []]);
});

/** What is damaged while the archiver runs, and who reads it then: the next change of the object, or its commit. */
const AT_USE: readonly Pick<Case, 'part' | 'how' | 'change'>[] = [
  ...each('the pack of HEAD', packOf('.pack'), 0).filter(({ how }) => how === 'truncated' || how === 'emptied'),
  {
    part: 'a manifest',
    how: 'flipped',
    change: (at) => damageObject(at, manifests.get(at) as string),
  },
  ...each('the branch', () => 'refs/heads/main', 0),
];
const manifests = new Map<string, string>();

test('damage under a running archiver: that repository alone is made anew, and its tree equals the live state', async () => {
  await using directory = await temporaryDirectory();
  const names = [...AT_USE.keys()].map((index) => `use-${index}`);
  await Promise.all([...names, 'onlooker'].map((name) => create(name)));
  await Promise.all([...names, 'onlooker'].map((name) => put(name, 'first')));
  const scope = ['--resources', 'configmaps,namespaces', '--namespaces', 'use-*,onlooker'];
  await using archiver = startArchiver(cluster.kubeconfig, directory.path, ...scope);
  for (const name of [...names, 'onlooker']) await committed(archiver, name, 0);
  for (const [index, { part, how, change }] of AT_USE.entries()) {
    const name = `use-${index}`;
    const from = archiver.lines.length;
    const repository = join(directory.path, `${name}.git`);
    manifests.set(repository, (await git(directory.path, name, 'rev-parse', 'main:configmaps/app.json')).trim());
    const commits = (await git(directory.path, name, 'rev-list', '--reverse', 'main')).trim().split('\n');
    change(repository, commits);
    await put(name, 'second');
    await archiver.waitFor(`${part} ${how}`, ({ event, repository: of }) => event === 'quarantined' && of === name, {
      from,
    });
    await committed(archiver, name, from);
    await put('onlooker', `${index}`);
    await committed(archiver, 'onlooker', archiver.lines.length - 1);
    await git(directory.path, name, 'fsck', '--strict', '--full');
    const text = await git(directory.path, name, 'show', 'main:configmaps/app.json');
    assert.equal((JSON.parse(text) as { data: { value: string } }).data.value, 'second', `${part} ${how}`);
  }
  assert.equal(await archiver.stop(), 0);
});

function committed(archiver: ReturnType<typeof startArchiver>, name: string, from: number) {
  return archiver.waitFor(
    `a commit of ${name}`,
    ({ event, repository }) => event === 'committed' && repository === name,
    { from },
  );
}

test('a damaged fingerprint key is refused and not overwritten; one that is gone is made anew', async () => {
  await using directory = await temporaryDirectory();
  assert.equal((await archive(directory.path)).code, 0);
  const key = join(directory.path, 'fingerprint.key');
  const before = readFileSync(key);
  for (const how of ['truncated', 'emptied', 'flipped'] as const) {
    writeFileSync(key, before);
    damage(key, how, 0.01);
    const damaged = readFileSync(key);
    const ended = await archive(directory.path);
    // A flipped digit may be another digit: then it is a key, and every fingerprint changes once.
    if (how === 'flipped' && ended.code === 0) continue;
    assert.equal(ended.code, 2, how);
    assert.match(ended.stderr, /^error: The fingerprint key ".*" .*; nothing was archived, .*\n$/);
    assert.deepEqual(readFileSync(key), damaged);
  }
  rmSync(key);
  assert.equal((await archive(directory.path)).code, 0);
});

test('an emptied lock is somebody’s for a minute, then nobody’s', async () => {
  await using directory = await temporaryDirectory();
  assert.equal((await archive(directory.path)).code, 0);
  const lock = join(directory.path, 'lock');
  writeFileSync(lock, '{"process":1');
  truncateSync(lock, 0);
  const refused = await archive(directory.path);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /^error: Cannot write ".*": another process is archiving into it; nothing was changed, .*\n$/,
  );
  const old = new Date(Date.now() - 5 * 60_000);
  utimesSync(lock, old, old);
  assert.equal((await archive(directory.path)).code, 0);
});
