import assert from 'node:assert/strict';
import { nextTick } from 'node:process';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { KeeperError } from '../../controller/errors.ts';
import type { Repository } from '../../controller/git/repository.ts';
import { Disk } from './disk.ts';
import { judge } from './judge.ts';
import { mount, unmount } from './mounts.ts';
import { openRepository } from './repositories.ts';

/** A writer is paused, another takes over, and the first wakes up at a moment that we choose: at every one, one after the other. */

const BY = { author: { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' }, time: new Date(1_700_000_000_000) };
const MAIN = 'refs/heads/main';
const ORIGIN = 'refs/remotes/origin/main';

/** A ref, and where the writer was told that it is now. */
type Moved = readonly [ref: string, to: string | undefined];
type Write = (repository: Repository) => Promise<Moved>;

const headOf = (repository: Repository) => repository.head as string;

async function commit(repository: Repository, name: string, isSpilled = false): Promise<Moved> {
  repository.stage(`configmaps/${name}.json`, `${name}\n`);
  if (isSpilled) await repository.spill();
  return [MAIN, (await repository.commit({ message: `${name}\n`, ...BY }))?.id];
}

async function move(repository: Repository, to: string | undefined): Promise<Moved> {
  await repository.updateRef(ORIGIN, { from: repository.ref(ORIGIN), to });
  return [ORIGIN, to];
}

async function tag(repository: Repository): Promise<Moved> {
  const options = { target: headOf(repository), message: 'it works\n', tagger: BY.author, time: BY.time };
  return ['refs/tags/good', await repository.tag('good', options)];
}

const WITH_A_PACK: Record<string, Write> = {
  'a commit': (repository) => commit(repository, 'first'),
  'a commit of what lies in a spill': (repository) => commit(repository, 'first', true),
  'a tag': tag,
  'a note': async (repository) => ['refs/notes/data', await repository.note(headOf(repository), 'ready\n', BY)],
};

const MOVES: Record<string, Write> = {
  ...WITH_A_PACK,
  'a ref that moves': (repository) => move(repository, headOf(repository)),
  'a ref that goes': (repository) => move(repository, undefined),
};

/** Two writers of one repository, the lock of the data directory, and the moment at which the first one stops. */
class Takeover implements Disposable {
  readonly disk = new Disk();
  readonly #name: string;
  readonly directory: string;
  readonly #paused = Promise.withResolvers<boolean>();
  readonly #woken = Promise.withResolvers<void>();
  #holder = 'first';
  #looks = 0;

  constructor(name: string) {
    this.#name = name;
    this.directory = `${mount(name, this.disk)}/shop.git`;
  }

  async prepare(): Promise<void> {
    await using repository = await openRepository(this.directory, { autoConsolidate: false });
    const [, root] = await commit(repository, 'root');
    await move(repository, root);
    await commit(repository, 'head');
  }

  /** It stops right after it looked for the `look`-th time whether it leads; at 0 it runs on, and leads no more. */
  async first(look: number): Promise<Repository> {
    if (look === 0) this.#paused.resolve(true);
    const guard = async () => {
      this.#require('first');
      if (++this.#looks !== look) return;
      this.#paused.resolve(true);
      await this.#woken.promise;
    };
    return await openRepository(this.directory, { autoConsolidate: false, guard });
  }

  /** False when it ended before it looked that often. */
  async isPaused(writing: Promise<unknown>): Promise<boolean> {
    return await Promise.race([this.#paused.promise, writing.then(() => false)]);
  }

  async second(): Promise<Repository> {
    this.#holder = 'second';
    return await openRepository(this.directory, { autoConsolidate: false, guard: async () => this.#require('second') });
  }

  wake(): void {
    this.#woken.resolve();
  }

  packFiles(): string[] {
    return [...this.disk.directory('/shop.git/objects/pack', 'scandir').names.keys()].sort();
  }

  #require(who: string): void {
    if (this.#holder !== who) throw new KeeperError('Another one leads', { kind: 'stalled', code: 'LEADERSHIP_LOST' });
  }

  [Symbol.dispose](): void {
    unmount(this.#name);
  }
}

async function outcomeOf<Result>(work: Promise<Result>): Promise<{ result?: Result; code?: string | undefined }> {
  return await work.then(
    (result) => ({ result }),
    (error: KeeperError) => ({ code: error.code }),
  );
}

for (const [what, write] of Object.entries(MOVES)) {
  test(`${what} of a writer that wakes up while another opens is seen by it, or never happens`, async () => {
    let [look, moments] = [1, 0];
    for (; ; look++) {
      let turns = 0;
      let moment = await wakeWhileOpening(write, look, turns);
      if (moment === 'never') break;
      while (moment === 'opening') moment = await wakeWhileOpening(write, look, ++turns);
      moments += turns;
    }
    assert.ok(moments >= 3, `${moments} moments`);
  });
}

/** When the first writer woke up: at 0 its next operation comes before any of the second's, else after the `turns`-th of them. */
async function wakeWhileOpening(write: Write, look: number, turns: number): Promise<'opening' | 'opened' | 'never'> {
  using takeover = new Takeover(`waking-${look}-${turns}`);
  await takeover.prepare();
  const first = await takeover.first(look);
  const writing = outcomeOf(write(first));
  if (!(await takeover.isPaused(writing))) return 'never';
  if (turns === 0) {
    takeover.wake();
    await new Promise<void>((resolve) => nextTick(resolve));
  }
  let moment: 'opening' | 'opened' = 'opening';
  const opening = takeover.second().then((second) => {
    moment = 'opened';
    return { second, seen: second.refs() };
  });
  for (let count = 1; count < turns; count++) await turn();
  const when = moment;
  takeover.wake();
  const { second, seen } = await opening;
  const { result, code } = await writing;
  const at = `woken at look ${look}, moment ${turns} of the other's opening`;
  if (result === undefined) assert.equal(code, 'LEADERSHIP_LOST', at);
  else assert.equal(seen.get(result[0]), result[1], `acknowledged and not seen, ${at}`);
  assert.deepEqual(second.refs(), seen, `a ref moved under the eyes of who leads, ${at}`);
  assert.equal(second.head, seen.get(MAIN), at);
  await first[Symbol.asyncDispose]();
  await commit(second, 'second');
  const files = new Map<string, string>();
  for (const { path } of second.files()) files.set(path, String(await second.readFile(path)));
  const refs = new Map([...seen].filter(([ref]) => ref !== MAIN));
  await second[Symbol.asyncDispose]();
  await judge(takeover.directory, { head: second.head, files, next: undefined, refs, moving: undefined });
  return when;
}

const WRITES_A_PACK: Record<string, (repository: Repository) => Promise<unknown>> = {
  ...WITH_A_PACK,
  'a spill': async (repository) => {
    repository.stage('configmaps/first.json', 'first\n');
    await repository.spill();
  },
  'a merge of packs': (repository) => repository.consolidate({ full: true }),
  'a pack from a remote': async (repository) => {
    const bytes = await packOfAnother();
    await repository.receivePack(
      (async function* () {
        yield bytes;
      })(),
    );
  },
};

for (const [what, write] of Object.entries(WRITES_A_PACK)) {
  for (const [look, when] of [
    [0, 'begins'],
    [1, 'goes on'],
  ] as const) {
    test(`${what} that ${when} after another took over leaves no file among the packs`, async () => {
      using takeover = new Takeover(`packs-${look}`);
      await takeover.prepare();
      await using first = await takeover.first(look);
      const writing = look === 0 ? undefined : outcomeOf(write(first));
      assert.ok(await takeover.isPaused(writing ?? new Promise(() => undefined)));
      await using _second = await takeover.second();
      const before = takeover.packFiles();
      takeover.wake();
      const { code } = await (writing ?? outcomeOf(write(first)));
      assert.equal(code, 'LEADERSHIP_LOST');
      assert.deepEqual(takeover.packFiles(), before);
    });
  }
}

async function packOfAnother(): Promise<Buffer> {
  using other = new Takeover('other');
  await using repository = await openRepository(other.directory, { autoConsolidate: false });
  await commit(repository, 'elsewhere');
  const name = other.packFiles().find((each) => each.endsWith('.pack'));
  return other.disk.file(`/shop.git/objects/pack/${name}`, 'open').content;
}
