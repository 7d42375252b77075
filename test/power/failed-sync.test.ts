import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Repository } from '../../controller/git/repository.ts';
import { Disk, failure, type Operation } from './disk.ts';
import type { Promised } from './history.ts';
import { judge } from './judge.ts';
import { mount, unmount } from './mounts.ts';
import { cutPower, seeded } from './power-cut.ts';
import { openRepository } from './repositories.ts';

/** A directory cannot be synced after a name in it changed: readers see the change already, and a power cut may take it back. */

const BY = { author: { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' }, time: new Date(1_700_000_000_000) };
const MAIN = 'refs/heads/main';
const ORIGIN = 'refs/remotes/origin/main';
/** It fails, and so does the first try to make up for it. */
const FAILURES = 2;
const CUTS = 10;

/** One repository on a disk of its own. */
class Shop implements Disposable {
  readonly disk = new Disk();
  readonly #name: string;
  readonly directory: string;

  constructor(name: string) {
    this.#name = name;
    this.directory = `${mount(name, this.disk)}/shop.git`;
  }

  async open(): Promise<Repository> {
    return await openRepository(this.directory, { autoConsolidate: false });
  }

  /** From now on no operation like this one succeeds. */
  fail(isFailing: (operation: Operation) => boolean, code = 'EIO'): void {
    this.disk.options = {
      before: (operation) => {
        if (isFailing(operation)) throw failure(code, operation.kind, operation.path);
      },
    };
  }

  heal(): void {
    this.disk.options = {};
  }

  [Symbol.dispose](): void {
    unmount(this.#name);
  }
}

const ofBranches = ({ kind, path }: Operation) => kind === 'sync directory' && path.endsWith('/refs/heads');

async function commit(repository: Repository): Promise<string> {
  await repository.commit({ message: 'a step\n', ...BY });
  return repository.head as string;
}

async function promisedBy(repository: Repository): Promise<Promised> {
  const files = new Map<string, string>();
  for (const { path } of repository.files()) files.set(path, String(await repository.readFile(path)));
  const refs = new Map([...repository.refs()].filter(([ref]) => ref !== MAIN));
  return { head: repository.head, files, next: undefined, refs, moving: undefined };
}

/** Every step may be done again after it failed. */
const STEPS: readonly ((repository: Repository, disk: Disk) => Promise<unknown>)[] = [
  async (repository) => {
    repository.stage('configmaps/a.json', 'one\n');
    return await commit(repository);
  },
  async (repository) => {
    repository.stage('configmaps/b.json', 'spilled\n');
    await repository.spill();
    return await commit(repository);
  },
  (repository) => repository.note(repository.head as string, 'ready\n', BY),
  (repository) => move(repository, repository.head),
  async (repository) => {
    repository.stage('configmaps/a.json', 'two\n');
    repository.stageDeletion('configmaps/b.json');
    return await commit(repository);
  },
  (repository) => move(repository, undefined),
  async (_repository, disk) => removeEmptyDirectories(disk),
  (repository) => move(repository, repository.head),
];

/** As Git does when it packs refs. */
function removeEmptyDirectories(disk: Disk): void {
  disk.rmdir('/shop.git/refs/remotes/origin');
  disk.rmdir('/shop.git/refs/remotes');
}

async function move(repository: Repository, to: string | undefined): Promise<void> {
  await repository.updateRef(ORIGIN, { from: repository.ref(ORIGIN), to });
}

/** One life in which the `at`-th sync of a directory fails, and the one after it; false when there were not so many. */
async function liveWithFailingSync(at: number): Promise<boolean> {
  using shop = new Shop(`unsynced-${at}`);
  const random = seeded(at);
  const repository = await shop.open();
  let [syncs, failed] = [0, 0];
  shop.fail(({ kind }) => kind === 'sync directory' && ++syncs >= at && ++failed <= FAILURES);
  let refused = 0;
  for (const [index, step] of STEPS.entries()) {
    while (!(await isAcknowledged(step(repository, shop.disk)))) refused++;
    const promised = await promisedBy(repository);
    assert.equal(promised.refs.has(ORIGIN), [3, 4, 7].includes(index));
    for (let cut = 0; cut < CUTS; cut++) await judgeCut(shop, random, promised, `sync ${at} failed, step ${index}`);
  }
  assert.equal(refused, Math.min(failed, FAILURES), `sync ${at}`);
  await repository[Symbol.asyncDispose]();
  return failed > 0;
}

async function isAcknowledged(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    (error: Error) => {
      assert.match(error.message, /EIO; what was committed before is safe/);
      return false;
    },
  );
}

let cuts = 0;

async function judgeCut(shop: Shop, random: () => number, promised: Promised, when: string): Promise<void> {
  const name = `unsynced-cut-${cuts++}`;
  const directory = `${mount(name, cutPower(shop.disk, random))}/shop.git`;
  try {
    const repository = await openRepository(directory, { readOnly: true });
    assert.equal(repository.ref(ORIGIN), promised.refs.get(ORIGIN), `a ref is back, ${when}`);
    await judge(directory, promised);
  } catch (error) {
    throw new Error(when, { cause: error });
  } finally {
    unmount(name);
  }
}

test('what moved in a directory that could not be synced is not acknowledged until it could, and is safe then', async () => {
  let lives = 0;
  for (let at = 1; await liveWithFailingSync(at); at++) lives++;
  assert.ok(lives > 15, `${lives} lives`);
});

test('nothing is built upon a commit whose directory could not be synced', async () => {
  using shop = new Shop('built-upon');
  await using repository = await shop.open();
  repository.stage('configmaps/a.json', 'one\n');
  shop.fail(ofBranches);
  await assert.rejects(commit(repository), /EIO/);
  const target = repository.head as string;
  assert.equal(repository.ref(MAIN), target, 'readers see it');
  await assert.rejects(repository.note(target, 'ready\n', BY), /EIO/);
  await assert.rejects(repository.updateRef(ORIGIN, { from: undefined, to: target }), /EIO/);
  assert.deepEqual([...repository.refs().keys()], [MAIN]);
  shop.heal();
  await repository.note(target, 'ready\n', BY);
});

test('a repository that is closed after the directory of its branch could not be synced keeps the spill that HEAD uses', async () => {
  using shop = new Shop('closed');
  const repository = await shop.open();
  repository.stage('configmaps/a.json', 'spilled\n');
  await repository.spill();
  shop.fail(ofBranches);
  await assert.rejects(commit(repository), /EIO/);
  const promised = await promisedBy(repository);
  await repository[Symbol.asyncDispose]();
  shop.heal();
  await judge(shop.directory, promised);
});

test('a spill that HEAD used while its directory could not be synced outlives the next commit, wherever that is killed', async () => {
  for (let at = 1; await killAfterSpill(at); at++);
});

/** The writer is killed before the `at`-th operation of the commit that no longer uses the spill; false when there were not so many. */
async function killAfterSpill(at: number): Promise<boolean> {
  using shop = new Shop(`killed-${at}`);
  const repository = await shop.open();
  repository.stage('configmaps/a.json', 'spilled\n');
  await repository.spill();
  shop.fail(ofBranches);
  await assert.rejects(commit(repository), /EIO/);
  const promised = await promisedBy(repository);
  const text = 'the file as it is after the spill\n';
  repository.stage('configmaps/a.json', text);
  let operations = 0;
  shop.fail(() => ++operations >= at);
  await commit(repository).catch((error: Error) => assert.match(error.message, /EIO/));
  shop.heal();
  await judge(shop.directory, { ...promised, next: new Map([['configmaps/a.json', text]]) });
  return operations >= at;
}

test('a repository whose name could not be synced when it was made takes nothing until it could', async () => {
  using shop = new Shop('made');
  shop.fail(({ kind, path }) => kind === 'sync directory' && path === '/');
  await assert.rejects(shop.open(), /EIO/);
  assert.ok(shop.disk.find('/shop.git/HEAD'), 'readers see it');
  await assert.rejects(shop.open(), /EIO/);
  shop.heal();
  await using repository = await shop.open();
  repository.stage('configmaps/a.json', 'one\n');
  await commit(repository);
  const promised = await promisedBy(repository);
  for (let seed = 1; seed <= CUTS; seed++) await judgeCut(shop, seeded(seed), promised, `seed ${seed}`);
});

test('a disk that becomes read-only in the middle of a commit is what the error tells of, wherever it does', async () => {
  let at = 1;
  while (await commitOnFailingDisk(at)) at++;
  assert.ok(at > 10, `${at} operations`);
});

/** From the `at`-th operation on nothing can be changed; false when there were not so many. */
async function commitOnFailingDisk(at: number): Promise<boolean> {
  using shop = new Shop(`read-only-${at}`);
  await using repository = await shop.open();
  repository.stage('configmaps/a.json', 'one\n');
  let operations = 0;
  shop.fail(() => ++operations >= at, 'EROFS');
  const committing = commit(repository);
  if (await committing.catch(() => undefined)) return false;
  await assert.rejects(committing, { code: 'DATA_DIRECTORY_UNUSABLE', kind: 'stalled' }, `operation ${at}`);
  shop.heal();
  return true;
}

test("a directory of refs that Git removed before it could be synced is in nobody's way", async () => {
  using shop = new Shop('removed');
  await using repository = await shop.open();
  repository.stage('configmaps/a.json', 'one\n');
  await move(repository, await commit(repository));
  shop.fail(({ kind, path }) => kind === 'sync directory' && path.endsWith('/refs/remotes/origin'));
  await assert.rejects(move(repository, undefined), /EIO/);
  removeEmptyDirectories(shop.disk);
  shop.heal();
  repository.stage('configmaps/a.json', 'two\n');
  await commit(repository);
  const promised = await promisedBy(repository);
  for (let seed = 1; seed <= CUTS; seed++) await judgeCut(shop, seeded(seed), promised, `seed ${seed}`);
});
