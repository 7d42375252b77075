import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Outcome } from '../../controller/core/outcome.ts';
import { file, git, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { type GitServer, startGitServer } from '../remote/git-server.ts';
import { RecreatedCluster } from './lines-cluster.ts';
import { hurried, realPort } from './real-remotes.ts';
import { archiveScripted, committed } from './run.ts';

/** Each line has a repository of its own at the remote: nobody who may read the new one finds anything of the old one in it. */

/** A cluster with `shop`, a data directory, and a real Git server with a repository for each line that is spoken of. */
class World implements AsyncDisposable {
  readonly cluster = new RecreatedCluster();
  readonly directory: AsyncDisposable & { readonly path: string };
  readonly server: GitServer;
  readonly #port: ReturnType<typeof realPort>;
  #isAway = false;

  private constructor(directory: AsyncDisposable & { readonly path: string }, server: GitServer) {
    this.directory = directory;
    this.server = server;
    this.#port = realPort(server);
    this.add('shop');
  }

  /** The first team's namespace is archived and pushed. */
  static async start(): Promise<World> {
    const world = new World(await temporaryDirectory(), await startGitServer());
    world.cluster.make('shop');
    world.cluster.put('shop', 'same', 'as ever');
    world.cluster.put('shop', 'app', 'of the first team');
    await world.archive();
    return world;
  }

  add(name: string): void {
    this.server.createRepository(`ops/prod-${name}`);
  }

  get data(): string {
    return this.directory.path;
  }

  /** Minutes of patience with a server that is away pass in seconds; one that is there has time to answer on a busy machine. */
  async archive({ times = this.#isAway ? 60 : 4 }: { readonly times?: number } = {}): Promise<readonly Outcome[]> {
    const { clock, timer } = hurried(times);
    return await archiveScripted(this.cluster, this.data, {
      clock,
      remote: { port: this.#port, cluster: 'prod', timer },
    });
  }

  async goAway(): Promise<void> {
    this.#isAway = true;
    await this.server.stop();
  }

  async comeBack(): Promise<void> {
    await this.server.start();
    this.#isAway = false;
  }

  /** Another team's, with a repository for it at the remote; answers the mark of its line. */
  recreate(): string {
    this.cluster.destroy('shop');
    const mark = this.cluster.make('shop').slice(0, 8);
    this.cluster.put('shop', 'same', 'as ever');
    this.cluster.put('shop', 'new', 'of the second team');
    this.add(`shop.${mark}`);
    return mark;
  }

  loseDisk(): void {
    for (const name of readdirSync(this.data))
      if (name.endsWith('.git')) rmSync(join(this.data, name), { recursive: true });
  }

  git(name: string, ...args: string[]): string {
    return this.server.git(`ops/prod-${name}`, ...args).trim();
  }

  subjects(name: string): readonly string[] {
    return this.git(name, 'log', '--format=%s', 'main').split('\n');
  }

  contents(name: string): string {
    return this.git(name, 'cat-file', '--batch-all-objects', '--batch');
  }

  get endedLines(): readonly string[] {
    return readdirSync(this.data)
      .filter((name) => /^shop\..*\.git$/.test(name))
      .map((name) => name.slice(0, -4));
  }

  /** The remote has two repositories, and neither has anything of the other but what is equal in both. */
  async assertTwoLines(mark: string): Promise<void> {
    assert.match(this.subjects('shop')[0] ?? '', /: this line ends/);
    assert.match(this.contents('shop'), /first team/);
    assert.doesNotMatch(this.contents('shop'), /second team/);
    await this.assertNewLine(mark);
  }

  async assertNewLine(mark: string): Promise<void> {
    const name = `shop.${mark}`;
    assert.equal(this.git(name, 'rev-parse', 'main'), (await git(this.data, 'shop', 'rev-parse', 'main')).trim());
    const local = await git(this.data, 'shop', 'cat-file', '--batch-all-objects', '--batch');
    for (const contents of [this.contents(name), local]) {
      assert.match(contents, /second team/);
      assert.doesNotMatch(contents, /first team/);
    }
    assert.match(await file(this.data, 'shop', '.kubekeeper/archive.json'), new RegExp(`"line": "${mark}"`));
    for (const one of ['shop', name]) this.git(one, 'fsck', '--strict', '--full');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#port[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await this.directory[Symbol.asyncDispose]();
  }
}

function of<Type extends Outcome['type']>(outcomes: readonly Outcome[], type: Type) {
  return outcomes.filter((outcome): outcome is Extract<Outcome, { type: Type }> => outcome.type === type);
}

test('the end of the old line goes to its remote, and the new line to one of its own', async () => {
  await using world = await World.start();
  const mark = world.recreate();
  const outcomes = await world.archive();
  await world.assertTwoLines(mark);
  assert.deepEqual([of(outcomes, 'stalled'), of(outcomes, 'push-failed'), of(outcomes, 'unpushed')], [[], [], []]);
  assert.deepEqual(
    of(outcomes, 'pushed')
      .map(({ repository, url }) => [repository, url.slice(url.lastIndexOf('/') + 1)])
      .sort(),
    [
      ['shop', `prod-shop.${mark}.git`],
      [world.endedLines[0], 'prod-shop.git'],
    ],
  );
  const asked = world.server.requests.length;
  const again = await world.archive();
  assert.deepEqual([committed(again), of(again, 'pushed')], [[], []]);
  // Nobody asks for the old line's remote any more.
  const later = world.server.requests.slice(asked).map(({ path }) => path);
  assert.deepEqual([later.length > 0, later.filter((path) => path.includes('/prod-shop.git/'))], [true, []]);
});

test('what the remote did not have of an old line is pushed there later, after restarts too', async () => {
  await using world = await World.start();
  world.cluster.put('shop', 'app', 'of the first team, changed');
  await world.goAway();
  await world.archive();
  const mark = world.recreate();
  const away = await world.archive();
  assert.equal(of(away, 'unpushed').at(-1)?.repositories, 2);
  await world.comeBack();
  await world.archive();
  assert.equal(world.subjects('shop').length, 3);
  await world.assertTwoLines(mark);
});

test('a disk that was lost after the turn: the new line is taken over from its own remote, and nothing of the old one', async () => {
  await using world = await World.start();
  const mark = world.recreate();
  await world.archive();
  world.loseDisk();
  world.cluster.put('shop', 'new', 'of the second team, changed');
  const outcomes = await world.archive();
  assert.deepEqual(
    of(outcomes, 'adopted').map(({ repository, commits }) => [repository, commits]),
    [['shop', 1]],
  );
  assert.deepEqual([of(outcomes, 'new-line'), of(outcomes, 'stalled'), world.endedLines], [[], [], []]);
  assert.equal((await subjects(world.data, 'shop')).length, 2);
  await world.assertTwoLines(mark);
});

test('a disk that was lost before the turn: the old line is taken over, ends, and the new one begins', async () => {
  await using world = await World.start();
  world.loseDisk();
  const mark = world.recreate();
  const outcomes = await world.archive();
  assert.deepEqual([of(outcomes, 'adopted').length, of(outcomes, 'new-line').length], [1, 1]);
  assert.deepEqual(of(outcomes, 'stalled'), []);
  await world.assertTwoLines(mark);
  assert.deepEqual(committed(await world.archive()), []);
});

test('a disk that was lost while the remote is away: what belongs to another uid there is neither fetched nor joined', async () => {
  await using world = await World.start();
  world.loseDisk();
  const mark = world.recreate();
  await world.goAway();
  await world.archive();
  assert.deepEqual(world.endedLines, []);
  await world.comeBack();
  const outcomes = await world.archive({ times: 1 });
  const [turned] = of(outcomes, 'new-line');
  assert.match(turned?.oldLine ?? '', /\/ops\/prod-shop\.git$/);
  assert.deepEqual(of(outcomes, 'stalled'), []);
  await world.assertNewLine(mark);
  assert.equal(world.subjects('shop').length, 1);
  const again = await world.archive();
  assert.deepEqual([committed(again), of(again, 'new-line'), of(again, 'pushed')], [[], [], []]);
  assert.deepEqual(
    readdirSync(world.data).filter((name) => name.includes('scratch')),
    [],
  );
});

test('the same lost disk where the namespace is the same: both histories are joined as before', async () => {
  await using world = await World.start();
  world.loseDisk();
  await world.goAway();
  await world.archive();
  await world.comeBack();
  const outcomes = await world.archive();
  assert.deepEqual([of(outcomes, 'new-line'), of(outcomes, 'stalled')], [[], []]);
  assert.match(world.subjects('shop')[0] ?? '', /^joined 1 commit/);
});

test('an old copy of the data directory, from before the turn: the old line ends again, and the new one is taken over', async () => {
  await using world = await World.start();
  await using copy = await temporaryDirectory();
  cpSync(world.data, copy.path, { recursive: true });
  const mark = world.recreate();
  await world.archive();
  const tip = world.git(`shop.${mark}`, 'rev-parse', 'main');
  rmSync(world.data, { recursive: true });
  cpSync(copy.path, world.data, { recursive: true });
  const outcomes = await world.archive();
  assert.deepEqual([of(outcomes, 'new-line').length, of(outcomes, 'stalled')], [1, []]);
  assert.equal(world.git(`shop.${mark}`, 'rev-parse', 'main'), tip);
  await world.assertTwoLines(mark);
});

test('a later line that is damaged is made anew from its own remote', async () => {
  await using world = await World.start();
  const mark = world.recreate();
  await world.archive();
  rmSync(join(world.data, 'shop.git/HEAD'));
  const outcomes = await world.archive();
  assert.deepEqual(
    of(outcomes, 'quarantined').map(({ from }) => from),
    ['remote'],
  );
  assert.deepEqual([of(outcomes, 'new-line'), of(outcomes, 'stalled')], [[], []]);
  await world.assertTwoLines(mark);
});

test('a namespace that nobody knew before has one remote, with its plain name', async () => {
  await using world = await World.start();
  world.cluster.make('office');
  world.cluster.put('office', 'app', 'of the first team');
  world.add('office');
  await world.archive();
  assert.equal(world.subjects('office').length, 1);
  assert.doesNotMatch(await file(world.data, 'office', '.kubekeeper/archive.json'), /"line"/);
  assert.ok(existsSync(join(world.data, 'office.git')));
});
