import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderArchiveFile } from '../../controller/core/archive-file.ts';
import { renderActors } from '../../controller/core/history/actors.ts';
import { renderJson } from '../../controller/core/json.ts';
import { manifestPath } from '../../controller/core/manifest.ts';
import { EMPTY_TREE } from '../../controller/git/object-id.ts';
import type { ObjectStore } from '../../controller/git/object-store.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { type CommitChanges, changes, type Span } from '../../controller/history/changes.ts';
import { deletedObjects } from '../../controller/history/deleted.ts';
import { compileWanted } from '../../controller/history/objects.ts';
import { openHistory } from '../../controller/history/open-history.ts';
import { showObject } from '../../controller/history/show.ts';
import { tagStates } from '../../controller/history/tags.ts';
import { AUTHOR, clock, Place } from '../git/bare-repository.ts';

/** Histories that no cluster makes in a minute: merges, odd names, ten thousand commits. The real Git judges. */

const RESOURCES = [
  'configmaps',
  'secrets',
  'roles.rbac.authorization.k8s.io',
  'policies.shop.example',
  'widgets.shop.example',
];
const FILE = renderArchiveFile({
  clusterId: 'c',
  namespace: { name: 'shop', uid: 'u' },
  resources: new Map(RESOURCES.map((name) => [name, 'v1'])),
  rules: '1',
  secrets: 'fingerprint',
});

class Writer {
  readonly #repository: Repository;
  readonly #now = clock();

  constructor(repository: Repository) {
    this.#repository = repository;
    repository.stage('.kubekeeper/archive.json', FILE);
  }

  put(resource: string, name: string, data: object): this {
    const object = { apiVersion: 'v1', kind: 'Any', metadata: { name, namespace: 'shop' }, data: { ...data } };
    this.#repository.stage(manifestPath({ resource, name }), renderJson(object));
    return this;
  }

  remove(resource: string, name: string): this {
    this.#repository.stageDeletion(manifestPath({ resource, name }));
    return this;
  }

  async commit(trailers = 'Actor: ada (manager)', subject = 'subject'): Promise<string> {
    const message = `${subject}\n\nArchived-From: cluster c\n${trailers}\n`;
    const { id } = (await this.#repository.commit({ message, author: AUTHOR, time: this.#now() })) ?? { id: '' };
    return id;
  }
}

async function told(
  place: Place,
  words: readonly string[] = [],
  span: Partial<Span> = {},
): Promise<readonly CommitChanges[]> {
  using history = await openHistory(place.directory, 'shop');
  return await Array.fromAsync(changes(history, compileWanted(history, words), { now: new Date(), ...span }));
}

function lines(commits: readonly CommitChanges[]): readonly string[] {
  return commits.flatMap(({ objects }) => objects.map(({ ref, what }) => `${what} ${ref.resource}/${ref.name}`));
}

test('what a merge took over is told once, in the commit that made it', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const writer = new Writer(repository);
  const base = await writer.put('configmaps', 'a', { v: '1' }).commit();
  await writer.put('configmaps', 'b', { v: '1' }).commit();
  const ours = place.git('rev-parse', 'main').trim();
  const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
  const before = place.git('rev-parse', `${base}^{tree}`).trim();
  const theirs = place.git(...identity, 'commit-tree', '-m', 'their line', '-p', base, before).trim();
  const merge = place
    .git(...identity, 'commit-tree', '-m', 'joined', '-p', ours, '-p', theirs, `${ours}^{tree}`)
    .trim();
  place.git('update-ref', 'refs/heads/main', merge);
  assert.deepEqual(lines(await told(place)), ['created configmaps/b', 'created configmaps/a']);
  assert.deepEqual(lines(await told(place, [], { since: base })), ['created configmaps/b']);
});

test('an object is found by its own name, however its file had to be called', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const writer = new Writer(repository);
  const long = 'x'.repeat(250);
  const names = ['system:node', long];
  for (const name of names) writer.put('roles.rbac.authorization.k8s.io', name, {});
  await writer.put('policies.shop.example', 'p', {}).put('widgets.shop.example', 'w', {}).commit();
  await writer.remove('roles.rbac.authorization.k8s.io', long).commit();
  assert.deepEqual(lines(await told(place, ['role/system:node'])), [
    'created roles.rbac.authorization.k8s.io/system:node',
  ]);
  assert.deepEqual(lines(await told(place, [`roles/${long}`])).length, 2);
  assert.deepEqual(lines(await told(place, ['policy/p', 'widget/*'])), [
    'created policies.shop.example/p',
    'created widgets.shop.example/w',
  ]);
  await assert.rejects(told(place, ['gadget/x']), { code: 'USAGE_INVALID' });
  using history = await openHistory(place.directory, 'shop');
  const shown = await showObject(history, { object: `role/${long}`, at: undefined }, { now: new Date() });
  assert.equal(shown.ref.name, long);
  assert.notEqual(shown.deletedIn, undefined);
});

test('an object that was made again is said to be, and one that came back is not gone', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const writer = new Writer(repository);
  await writer.put('configmaps', 'a', { v: '1' }).put('configmaps', 'b', {}).commit();
  await writer.put('configmaps', 'a', { v: '2' }).commit('Actor: unknown\nRecreated: configmaps/a');
  await writer.remove('configmaps', 'a').remove('configmaps', 'b').commit();
  await writer.put('configmaps', 'a', { v: '3' }).commit();
  assert.deepEqual(lines(await told(place, ['cm/a'])), [
    'created configmaps/a',
    'deleted configmaps/a',
    'recreated configmaps/a',
    'created configmaps/a',
  ]);
  using history = await openHistory(place.directory, 'shop');
  const gone = await Array.fromAsync(deletedObjects(history, compileWanted(history, []), { now: new Date() }));
  assert.deepEqual(
    gone.map(({ ref, lastIn }) => [ref.name, lastIn]),
    [['b', place.git('rev-parse', 'main~2').trim()]],
  );
});

test('of several people in one commit nobody is said to have done what another may have', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const writer = new Writer(repository);
  await writer.put('configmaps', 'a', {}).commit('Actor: ada (manager)\nActor: bob (audit)');
  await writer
    .put('configmaps', 'a', { v: '1' })
    .put('secrets', 'b', {})
    .commit('Actor: ada (manager)\nActor: unknown');
  const who = (await told(place, ['cm/a'])).map(({ actors, areActorsSure }) => renderActors(actors, areActorsSure));
  assert.deepEqual(who, ['one of ada (manager), unknown', 'ada (manager), bob (audit)']);
});

test('values that were only encrypted anew are no change to tell of', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const writer = new Writer(repository);
  const sealed = (password: string, mark: string) => {
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db', namespace: 'shop' },
      data: { password, user: password },
    };
    const fingerprints = { '/data/password': mark, '/data/user': 'same' };
    repository.stage(
      'secrets/db.json',
      renderJson({ ...object, sops: { mac: password, kubekeeper: { fingerprints, seal: '' } } }),
    );
  };
  sealed('ENC[one]', '1');
  await writer.commit();
  sealed('ENC[two]', '2');
  await writer.commit();
  const [newest] = await told(place);
  assert.deepEqual(
    newest?.objects[0]?.fields().map(({ pointer }) => pointer),
    ['/data/password'],
  );
});

test('tags are listed newest first with how far HEAD is from each, light ones and those of strangers too', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const writer = new Writer(repository);
  const first = await writer.put('configmaps', 'a', { v: '1' }).commit();
  const second = await writer.put('configmaps', 'a', { v: '2' }).put('configmaps', 'b', {}).commit();
  const tag = { message: 'works\n\nEvidence: none\n', tagger: { name: 'Ada', email: 'ada@example.com' } };
  await repository.tag('good/one', { ...tag, target: first, time: new Date('2026-01-01T00:00:00Z') });
  await repository.tag('good/two', { ...tag, target: second, time: new Date('2026-01-02T00:00:00Z') });
  place.git('tag', 'light', first);
  place.git('-c', 'user.name=x', '-c', 'user.email=x@example.com', 'tag', '-a', '-m', 'of a tag', 'nested', 'good/one');
  place.git('tag', 'of-a-tree', `${first}^{tree}`);
  using history = await openHistory(place.directory, 'shop');
  const tags = tagStates(history);
  assert.deepEqual(
    tags.map(({ name, drifted, tagger }) => [name, drifted, tagger?.name]),
    [
      ['nested', 2, 'x'],
      ['good/two', 0, 'Ada'],
      ['good/one', 2, 'Ada'],
      ['light', 2, undefined],
    ],
  );
  assert.equal(tags[0]?.commit, first);
});

test('a long history begins to be told after a handful of reads, and no version in it is read twice', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await new Writer(repository).put('configmaps', 'a', { v: '0' }).commit();
  const commits = 3000;
  const blob = (k: number) =>
    renderJson({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'shop' },
      data: { v: String(k) },
    });
  const script = Array.from({ length: commits }, (_, k) => {
    const text = blob(k + 1);
    const from = k === 0 ? 'from refs/heads/main^0\n' : '';
    return `commit refs/heads/main\ncommitter x <x@example.com> ${1_800_000_000 + k} +0000\ndata 2\nx\n${from}M 100644 inline configmaps/a.json\ndata ${text.length}\n${text}\n`;
  });
  place.gitInput(script.join(''), 'fast-import', '--quiet');
  using history = await openHistory(place.directory, 'shop');
  const reads = countReads(history.archive.store);
  let before: number | undefined;
  let count = 0;
  for await (const { objects } of changes(history, compileWanted(history, []), { now: new Date() })) {
    const fields = objects.flatMap((object) => object.fields());
    count += fields.filter(({ pointer }) => pointer === '/data/v').length;
    before ??= reads.size;
  }
  assert.equal(count, commits);
  assert.ok((before as number) < 12, `${before} reads`);
  // A commit, two trees and a blob each; the first commit has a file of its own.
  assert.ok(reads.size <= 4 * (commits + 1) + 3, `${reads.size} objects`);
  assert.deepEqual(
    [...reads].filter(([id, times]) => times > 1 && id !== EMPTY_TREE),
    [],
  );
});

/** How often each object is asked for by its id. */
function countReads(store: ObjectStore): ReadonlyMap<string, number> {
  const reads = new Map<string, number>();
  const read = store.read.bind(store);
  store.read = (id, cache) => {
    reads.set(id, (reads.get(id) ?? 0) + 1);
    return read(id, cache);
  };
  return reads;
}
