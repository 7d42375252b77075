import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitOccasion, VolumeData } from '../../controller/core/data/volume-data.ts';
import { type Answer, type BackupRequest, waitAnswer, writeRequest } from '../../controller/git/requests.ts';
import { git, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { resource, ScriptedCluster } from '../flows/scripted-cluster.ts';
import { archiveScripted, watchScripted } from './run.ts';

/** A command beside the running archiver asks for a commit with fresh snapshots. */

const configMaps = resource('configmaps', 'ConfigMap');
const tagger = { name: 'Ada', email: 'ada@example.com' };
const patience = { signal: new AbortController().signal, timeoutMs: 5000 };
const BACKUP: BackupRequest = { do: 'backup', repository: 'shop', message: 'before 2.0\n', tagger };

/** A window that closes by itself only long after the test. */
const NEVER = { window: { silenceMs: 3_600_000, maximumMs: 3_600_000 } };

function shop(): ScriptedCluster {
  const cluster = new ScriptedCluster();
  cluster.resources = [configMaps];
  put(cluster, '1');
  return cluster;
}

function put(cluster: ScriptedCluster, value: string): void {
  const metadata = { name: 'app', namespace: 'shop' };
  cluster.apply(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
}

/** One claim, of which a snapshot is asked for only when it is forced. */
class Volumes implements VolumeData {
  readonly occasions: boolean[] = [];

  start(): void {}

  async beforeCommit(_repository: string, { isForced }: CommitOccasion) {
    this.occasions.push(isForced);
    const trailers = isForced ? [['Snapshot', `data=snap-${this.occasions.length}`] as const] : [];
    return { asked: trailers.length, trailers, committed: async () => {}, abandoned: async () => {} };
  }

  async settle(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

async function ask(directory: string, request: BackupRequest): Promise<Answer | undefined> {
  return await waitAnswer(directory, await writeRequest(directory, request), patience);
}

const trailer = (directory: string) =>
  git(directory, 'shop', 'log', '-1', '--format=%(trailers:key=Snapshot,valueonly)', 'main').then((text) =>
    text.trim(),
  );

test('a backup forces snapshots into the commit of what changed, and into one of their own where nothing did', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  const volumes = new Volumes();
  const run = watchScripted(cluster, directory.path, { ...NEVER, openVolumeData: () => volumes });
  await run.until('the first lists', ({ type }) => type === 'synced');

  const own = await ask(directory.path, BACKUP);
  assert.deepEqual((await subjects(directory.path, 'shop'))[0], 'volumes of shop: 1 snapshot');
  const head = async () => (await git(directory.path, 'shop', 'rev-parse', 'main')).trim();
  assert.deepEqual(own, { ok: true, commit: await head() });
  assert.equal(await trailer(directory.path), 'data=snap-1');

  put(cluster, '2');
  const tagged = await ask(directory.path, { ...BACKUP, name: 'good/2.0' });
  assert.deepEqual(tagged, { ok: true, commit: await head(), tag: 'good/2.0' });
  assert.match((await subjects(directory.path, 'shop'))[0] ?? '', /configmaps\/app: value 1 -> 2/);
  assert.equal(await trailer(directory.path), 'data=snap-2');
  assert.match(await git(directory.path, 'shop', 'cat-file', 'tag', 'good/2.0'), /^tagger Ada .*\n\nbefore 2\.0\n$/m);

  assert.deepEqual(volumes.occasions, [true, true]);
  await run.stop();
  const asked = { type: 'requested', what: 'backup', repository: 'shop', by: 'Ada <ada@example.com>', result: 'done' };
  const told = run.outcomes.filter(({ type }) => type === 'requested');
  assert.deepEqual(told[0], { ...asked, commit: own?.ok === true ? own.commit : '' });
});

test('a backup whose tag cannot be made is refused before anything is asked of the cluster', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  await git(directory.path, 'shop', 'tag', 'good/there', 'main');
  const volumes = new Volumes();
  const run = watchScripted(cluster, directory.path, { openVolumeData: () => volumes });
  await run.until('the first lists', ({ type }) => type === 'synced');
  for (const [name, reason] of [
    ['good/there', /The tag "good\/there" exists already; nothing was changed/],
    ['../evil', /no name that Git allows/],
  ] as const) {
    const answer = await ask(directory.path, { ...BACKUP, name });
    assert.ok(answer?.ok === false, name);
    assert.match(answer.reason, reason);
  }
  await run.stop();
  assert.deepEqual(volumes.occasions, []);
});

test("where volume data is nobody's business a backup is refused, and says what to do", async () => {
  await using directory = await temporaryDirectory();
  const run = watchScripted(shop(), directory.path);
  await run.until('the first commit', ({ type }) => type === 'committed');
  const answer = await ask(directory.path, BACKUP);
  assert.ok(answer?.ok === false);
  assert.match(answer.reason, /saves no volume data; nothing was changed, start it with a --config file/);
  await run.stop();
  assert.equal((await subjects(directory.path, 'shop')).length, 1);
});

test('an archive that ends after its first lists can force snapshots too', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  const volumes = new Volumes();
  await archiveScripted(cluster, directory.path, { openVolumeData: () => volumes });
  await archiveScripted(cluster, directory.path, { openVolumeData: () => volumes, snapshots: 'forced' });
  assert.deepEqual(await subjects(directory.path, 'shop'), [
    'volumes of shop: 1 snapshot',
    'first archive of namespace shop: 1 object',
  ]);
  assert.deepEqual(volumes.occasions, [false, true]);
});
