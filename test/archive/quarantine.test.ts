import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRepository } from '../../controller/git/repository.ts';
import { openSealer } from '../../controller/secrets/seal.ts';
import { file, git, paths, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { resource, ScriptedCluster } from '../flows/scripted-cluster.ts';
import { contentsOf, damageObject } from '../git/damages.ts';
import { archiveScripted, committed, watchScripted } from './run.ts';

/** One damaged repository is set aside and made anew; the archive goes on, and all others never notice. */

const namespaces = resource('namespaces', 'Namespace', { cluster: true });
const configMaps = resource('configmaps', 'ConfigMap');

/** Two namespaces, archived twice. */
async function archived(directory: string): Promise<ScriptedCluster> {
  const cluster = new ScriptedCluster();
  cluster.resources = [namespaces, configMaps];
  for (const namespace of ['shop', 'office']) {
    cluster.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (let index = 0; index < 3; index++) put(cluster, namespace, index, 'first');
  }
  await archiveScripted(cluster, directory);
  for (const namespace of ['shop', 'office']) put(cluster, namespace, 1, 'second');
  await archiveScripted(cluster, directory);
  return cluster;
}

function put(cluster: ScriptedCluster, namespace: string, index: number, value: string): void {
  const metadata = { name: `map-${index}`, namespace };
  cluster.apply(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
}

/** Of the manifest at HEAD: found when it is compared with a new version, not before. */
async function damageManifest(directory: string, name: string): Promise<void> {
  const id = (await git(directory, 'shop', 'rev-parse', `main:configmaps/${name}.json`)).trim();
  damageObject(join(directory, 'shop.git'), id);
}

async function assertSound(directory: string): Promise<void> {
  for (const name of ['shop', 'office']) await git(directory, name, 'fsck', '--strict', '--full');
}

function valueIn(text: string): string {
  return (JSON.parse(text) as { data: { value: string } }).data.value;
}

test('what is damaged when the archive starts is replaced, and everything is archived in the same run', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  rmSync(join(directory.path, 'shop.git', 'HEAD'));
  const damaged = contentsOf(join(directory.path, 'shop.git'));
  put(cluster, 'shop', 2, 'third');
  put(cluster, 'office', 2, 'third');
  const outcomes = await archiveScripted(cluster, directory.path);
  const aside = outcomes.filter((outcome) => outcome.type === 'quarantined');
  assert.equal(aside.length, 1);
  const { movedTo, ...told } = aside[0] ?? { movedTo: '' };
  assert.deepEqual(told, {
    type: 'quarantined',
    repository: 'shop',
    reason: 'HEAD is missing',
    savedCommits: 2,
    from: 'salvage',
  });
  assert.match(movedTo, /^quarantine\/shop-\d{8}T\d{6}Z\.git$/);
  assert.deepEqual(contentsOf(join(directory.path, movedTo)), damaged);
  assert.deepEqual(
    committed(outcomes)
      .map(({ repository }) => repository)
      .sort(),
    ['office', 'shop'],
  );
  assert.equal((await subjects(directory.path, 'shop')).length, 3);
  await assertSound(directory.path);
  assert.deepEqual(committed(await archiveScripted(cluster, directory.path)), []);
});

test('what turns out to be damaged in the middle of a single run is replaced, and the run says no resource was skipped', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  await damageManifest(directory.path, 'map-1');
  put(cluster, 'shop', 1, 'third');
  put(cluster, 'office', 1, 'third');
  const outcomes = await archiveScripted(cluster, directory.path);
  const [aside] = outcomes.filter((outcome) => outcome.type === 'quarantined');
  // The second commit needs the damaged manifest, the first one does not.
  assert.deepEqual([aside?.savedCommits, aside?.from], [1, 'salvage']);
  assert.deepEqual(
    outcomes.filter((outcome) => outcome.type === 'skipped'),
    [],
  );
  assert.equal(valueIn(await file(directory.path, 'shop', 'configmaps/map-1.json')), 'third');
  assert.equal(valueIn(await file(directory.path, 'office', 'configmaps/map-1.json')), 'third');
  await assertSound(directory.path);
});

test('damage in a watching archive: the tree equals the live state again, and changes go on being committed everywhere', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  const run = watchScripted(cluster, directory.path);
  await run.until('the first lists', (outcome) => outcome.type === 'synced');
  await damageManifest(directory.path, 'map-1');
  cluster.delete(configMaps, 'shop', 'map-0');
  put(cluster, 'office', 2, 'meanwhile');
  put(cluster, 'shop', 1, 'third');
  await run.until('the quarantine', (outcome) => outcome.type === 'quarantined');
  const isOf = (name: string) => (outcome: { type: string; repository?: string }) =>
    outcome.type === 'committed' && outcome.repository === name;
  await run.until('a commit of the new one', isOf('shop'));
  await run.until('a commit of the other', isOf('office'));
  const before = run.outcomes.length;
  put(cluster, 'shop', 2, 'later');
  await run.until('a later commit', isOf('shop'), before);
  await run.stop();
  assert.deepEqual(await paths(directory.path, 'shop'), [
    '.kubekeeper/archive.json',
    'configmaps/map-1.json',
    'configmaps/map-2.json',
    'namespaces/shop.json',
  ]);
  for (const [name, path, value] of [
    ['shop', 'map-1', 'third'],
    ['shop', 'map-2', 'later'],
    ['office', 'map-2', 'meanwhile'],
  ] as const) {
    assert.equal(valueIn(await file(directory.path, name, `configmaps/${path}.json`)), value);
  }
  await assertSound(directory.path);
});

test('a repository that is damaged again at once is left out and said aloud; the others go on', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  const run = watchScripted(cluster, directory.path);
  await run.until('the first lists', (outcome) => outcome.type === 'synced');
  await damageManifest(directory.path, 'map-1');
  put(cluster, 'shop', 1, 'third');
  await run.until('the quarantine', (outcome) => outcome.type === 'quarantined');
  await run.until('a commit', (outcome) => outcome.type === 'committed' && outcome.repository === 'shop');
  await damageManifest(directory.path, 'map-1');
  put(cluster, 'shop', 1, 'fourth');
  const left = await run.until('the gap', (outcome) => outcome.type === 'skipped');
  assert.ok(left.type === 'skipped' && left.namespace === 'shop' && left.code === 'REPOSITORY_DAMAGED');
  const before = run.outcomes.length;
  put(cluster, 'office', 0, 'still');
  await run.until('the other', (outcome) => outcome.type === 'committed' && outcome.repository === 'office', before);
  await run.stop();
  assert.equal(readdirSync(join(directory.path, 'quarantine')).length, 1);
});

test('a damaged repository of another cluster is refused and stays where it is', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  rmSync(join(directory.path, 'shop.git', 'config'));
  const before = contentsOf(join(directory.path, 'shop.git'));
  await assert.rejects(archiveScripted(cluster, directory.path, { clusterId: 'cluster-2' }), {
    code: 'REPOSITORY_FOREIGN',
  });
  assert.deepEqual(contentsOf(join(directory.path, 'shop.git')), before);
});

test('damage that the consolidation of packs meets, while nobody asks for that version, is mended as well', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  const run = watchScripted(cluster, directory.path, { window: { silenceMs: 1, maximumMs: 1 } });
  await run.until('the first lists', (outcome) => outcome.type === 'synced');
  const id = (await git(directory.path, 'shop', 'rev-parse', 'main~1:configmaps/map-1.json')).trim();
  damageObject(join(directory.path, 'shop.git'), id);
  const isMet = () => run.outcomes.some((outcome) => outcome.type === 'quarantined');
  for (let round = 0; round < 60 && !isMet(); round++) {
    const before = run.outcomes.length;
    put(cluster, 'shop', 2, `round ${round}`);
    await run.until('a commit', ({ type }) => type === 'committed' || type === 'quarantined', before);
  }
  await run.until('the quarantine', (outcome) => outcome.type === 'quarantined');
  assert.ok(run.outcomes.some((outcome) => outcome.type === 'consolidation-failed'));
  await run.until('the live state', (outcome) => outcome.type === 'committed' && outcome.repository === 'shop');
  await run.stop();
  await assertSound(directory.path);
});

test('a manifest that somebody committed and that is no JSON is written over like any other change', async () => {
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  const place = join(directory.path, 'shop.git');
  {
    await using repository = await openRepository(place);
    repository.stage('configmaps/map-1.json', 'no JSON at all');
    const author = { name: 'ada', email: 'ada@example.com' };
    await repository.commit({ message: 'by hand', author, time: new Date() });
  }
  assert.equal(committed(await archiveScripted(cluster, directory.path)).length, 1);
  assert.equal(valueIn(await file(directory.path, 'shop', 'configmaps/map-1.json')), 'second');
});

test('the report counts each object once, although it was listed twice', async () => {
  const { Tally } = await import('../../controller/archive/tally.ts');
  await using directory = await temporaryDirectory();
  const cluster = await archived(directory.path);
  await damageManifest(directory.path, 'map-1');
  put(cluster, 'shop', 1, 'third');
  const tally = new Tally();
  await archiveScripted(cluster, directory.path, { tally });
  assert.deepEqual(
    tally.all().map(({ resource, objects }) => [resource, objects]),
    [
      ['configmaps', 6],
      ['namespaces', 2],
    ],
  );
});

test('the key of the fingerprints survives a quarantine, so that no Secret looks changed', async () => {
  await using directory = await temporaryDirectory();
  const sealing = { policy: 'fingerprint', dataDirectory: directory.path, recipients: [] } as const;
  await openSealer(sealing);
  const key = contentsOf(directory.path).get('fingerprint.key');
  const cluster = await archived(directory.path);
  rmSync(join(directory.path, 'shop.git', 'refs'), { recursive: true });
  await archiveScripted(cluster, directory.path);
  assert.equal(contentsOf(directory.path).get('fingerprint.key'), key);
});
