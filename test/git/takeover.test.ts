import assert from 'node:assert/strict';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeeperError } from '../../controller/errors.ts';
import { FencedFile, TEMPORARY_PREFIX } from '../../controller/git/fenced-file.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

/** Stands for the lock of the data directory: the guards read who holds it. */
class Lease {
  holder = 'first';

  guardOf(name: string, afterLooking: () => Promise<void> = async () => undefined): () => Promise<void> {
    return async () => {
      if (this.holder !== name)
        throw new KeeperError('Another one leads', { kind: 'stalled', code: 'LEADERSHIP_LOST' });
      await afterLooking();
    };
  }
}

/** What both writers find: four commits, and one more that only exists in a pack outside. */
interface Ids {
  readonly root: string;
  readonly head: string;
  readonly side: string;
  readonly packOfSide: Buffer;
}

const BY = { author: AUTHOR, time: new Date(0) };
const ORIGIN = 'refs/remotes/origin/main';
const PACKED = 'refs/remotes/origin/packed';

/** What the first writer is at when the second takes over. */
const WRITES: Record<string, (repository: Repository, ids: Ids) => Promise<unknown>> = {
  'a commit': async (repository) => {
    repository.stage('x/lost.json', manifest('lost', 1));
    await repository.commit({ message: 'lost', ...BY });
  },
  'a commit of what lies in a spill': async (repository) => {
    repository.stage('x/lost.json', manifest('lost', 1));
    await repository.spill();
    await repository.commit({ message: 'lost', ...BY });
  },
  'the very commit that the other one makes': async (repository) => {
    repository.stage('x/second.json', manifest('second', 1));
    await repository.spill();
    await repository.commit({ message: 'second', ...BY });
  },
  'a tag': (repository, { head }) =>
    repository.tag('good/lost', { target: head, message: 'lost', tagger: AUTHOR, time: new Date(0) }),
  'a note': (repository, { root }) => repository.note(root, 'lost\n', BY),
  'a new ref': (repository, { head }) =>
    repository.updateRef('refs/remotes/origin/lost', { from: undefined, to: head }),
  'a ref that moves': (repository, { root, head }) => repository.updateRef(ORIGIN, { from: root, to: head }),
  'a ref that goes': (repository, { root }) => repository.updateRef(ORIGIN, { from: root, to: undefined }),
  'a packed ref that goes': (repository, { root }) => repository.updateRef(PACKED, { from: root, to: undefined }),
  'a pack from a remote': async (repository, { side, packOfSide }) => {
    await repository.receivePack(stream(packOfSide));
    await repository.fastForward(side);
  },
};

for (const [what, write] of Object.entries(WRITES)) {
  test(`a writer that was paused at ${what} and wakes up after a takeover changes nothing, wherever it was`, async () => {
    let steps = 0;
    while (await pauseAt(steps, write)) steps += 1;
    assert.ok(steps >= 2, `it looked ${steps} times`);
  });
}

/** Pauses the first writer right after it looked for the n-th time (0: before it begins). False when it does not look that often. */
async function pauseAt(
  step: number,
  write: (repository: Repository, ids: Ids) => Promise<unknown>,
  expected: { outcome: string | undefined; isMerging: boolean } = { outcome: 'LEADERSHIP_LOST', isMerging: true },
): Promise<boolean> {
  using place = new Place();
  const ids = await prepare(place);
  const lease = new Lease();
  const paused = Promise.withResolvers<void>();
  const woken = Promise.withResolvers<void>();
  let looks = 0;
  const first = await openRepository(place.directory, {
    guard: lease.guardOf('first', async () => {
      looks += 1;
      if (looks !== step) return;
      paused.resolve();
      await woken.promise;
    }),
  });
  if (step === 0) lease.holder = 'second';
  const writing = write(first, ids).then(
    () => undefined,
    (error: KeeperError) => error,
  );
  if (step > 0 && (await Promise.race([paused.promise.then(() => true), writing.then(() => false)])) === false) {
    await first[Symbol.asyncDispose]();
    place.fsck();
    return false;
  }
  lease.holder = 'second';
  const second = await openRepository(place.directory, { guard: lease.guardOf('second') });
  await takeOver(second, ids);
  if (expected.isMerging) await second.consolidate({ full: true });
  const before = place.lines('for-each-ref', '--format=%(refname) %(objectname)');
  woken.resolve();
  assert.equal((await writing)?.code, expected.outcome, `at step ${step}`);
  await first[Symbol.asyncDispose]();
  assert.deepEqual(place.lines('for-each-ref', '--format=%(refname) %(objectname)'), before);
  assert.deepEqual(locksOf(place), []);
  place.fsck();
  second.stage('x/third.json', manifest('third', 1));
  await second.commit({ message: 'third', ...BY });
  await second.consolidate({ full: true });
  await second[Symbol.asyncDispose]();
  await judge(place);
  return true;
}

test('a writer that was paused while it merged packs takes nothing from the one that took over', async () => {
  const consolidate = (repository: Repository) => repository.consolidate({ full: true });
  // One process merges one repository at a time, and here both writers are one process.
  for (const step of [0, 1])
    assert.ok(await pauseAt(step, consolidate, { outcome: 'LEADERSHIP_LOST', isMerging: false }));
  // Once it has looked after the merged pack was named, it may finish: what it removes then is in that pack, which stays.
  assert.ok(await pauseAt(2, consolidate, { outcome: undefined, isMerging: false }));
  assert.equal(await pauseAt(3, consolidate), false);
});

test("a lock is let go before its temporary: a writer that ends between the two leaves no lock that nobody can tell from Git's own", async () => {
  using place = new Place();
  const file = await FencedFile.lock(place.root, 'main');
  const temporary = readdirSync(place.root).find((name) => name.startsWith(TEMPORARY_PREFIX)) as string;
  // It stands still at the temporary: no file can be removed where a directory is.
  rmSync(join(place.root, temporary));
  mkdirSync(join(place.root, temporary));
  await assert.rejects(async () => await file[Symbol.asyncDispose](), { code: /EISDIR|EPERM/ });
  assert.ok(!existsSync(join(place.root, 'main.lock')));
});

test("a lock that a writer took after it was fenced off, and left when it ended, is in nobody's way but for Git's own", async () => {
  using place = new Place();
  const lease = new Lease();
  await using repository = await openRepository(place.directory, { guard: lease.guardOf('first') });
  const commit = async (text: string) => {
    repository.stage('a.json', text);
    return await repository.commit({ message: text, ...BY });
  };
  const lock = join(place.directory, 'refs/heads/main.lock');
  for (const text of ['first', 'second']) {
    writeFileSync(join(place.directory, `refs/heads/tmp_ref_${text}.lock`), '');
    linkSync(join(place.directory, `refs/heads/tmp_ref_${text}.lock`), lock);
    assert.equal((await commit(text))?.changed, 1);
  }
  writeFileSync(lock, '');
  await assert.rejects(commit('third'), { code: 'DATA_DIRECTORY_IN_USE', message: /main\.lock is held/ });
  lease.holder = 'second';
  await assert.rejects(commit('third'), { code: 'LEADERSHIP_LOST' });
  assert.ok(existsSync(lock));
  place.fsck();
  await using next = await openRepository(place.directory, { guard: lease.guardOf('second') });
  assert.deepEqual(locksOf(place), []);
  assert.equal(next.fileCount, 1);
});

/** The second writer does all that the first might get in the way of. */
async function takeOver(second: Repository, { head }: Ids): Promise<void> {
  second.stage('x/second.json', manifest('second', 1));
  await second.spill();
  const commit = await second.commit({ message: 'second', ...BY });
  const to = commit?.id as string;
  await second.tag('good/second', { target: to, message: 'good', tagger: AUTHOR, time: new Date(0) });
  await second.note(head, 'second\n', BY);
  for (const ref of [ORIGIN, PACKED]) await second.updateRef(ref, { from: second.ref(ref), to });
}

async function judge(place: Place): Promise<void> {
  place.fsck();
  await using repository = await openRepository(place.directory);
  await repository.consolidate({ full: true });
  place.fsck();
  assert.deepEqual(place.lines('log', '--format=%s', 'main'), ['third', 'second', '3', '2', '1', '0']);
  for (const [path, blob] of place.tree()) assert.equal(repository.fileId(path), blob);
  assert.equal(place.git('notes', '--ref=data', 'show', 'main~2'), 'second\n');
  assert.deepEqual(
    readdirSync(join(place.directory, 'objects/pack')).filter((name) => !/^pack-[0-9a-f]{40}\.(pack|idx)$/.test(name)),
    [],
  );
}

function locksOf(place: Place): string[] {
  return readdirSync(place.directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.lock'));
}

async function prepare(place: Place): Promise<Ids> {
  const now = clock();
  await using repository = await openRepository(place.directory);
  const ids: string[] = [];
  for (let k = 0; k < 4; k++) {
    repository.stage('x/a.json', manifest('a', k));
    repository.stage(`x/${k}.json`, manifest('x', k));
    ids.push((await repository.commit({ message: `${k}`, author: AUTHOR, time: now() }))?.id as string);
  }
  const [root, , , head] = ids as [string, string, string, string];
  await repository.updateRef(PACKED, { from: undefined, to: root });
  place.git('pack-refs', '--all');
  await repository.updateRef(ORIGIN, { from: undefined, to: root });
  await repository.note(head, 'kept\n', { author: AUTHOR, time: now() });
  return { root, head, ...makeSide(place, root, head) };
}

function makeSide(place: Place, root: string, head: string): { side: string; packOfSide: Buffer } {
  const other = join(place.root, 'side.git');
  place.git('clone', '--quiet', '--bare', '--no-local', place.directory, other);
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
  const side = place.git('-C', other, ...who, 'commit-tree', '-m', 'side', '-p', head, `${root}^{tree}`).trim();
  place.git('-C', other, 'update-ref', 'refs/heads/main', side);
  place.git('-C', other, 'repack', '-adq');
  const packs = join(other, 'objects', 'pack');
  const name = readdirSync(packs).find((each) => each.endsWith('.pack')) as string;
  return { side, packOfSide: readFileSync(join(packs, name)) };
}

async function* stream(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
