import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { KeeperError } from '../../controller/errors.ts';
import { finishReplacements, replaceRepository } from '../../controller/git/replace-repository.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest, Place } from './bare-repository.ts';
import { contentsOf, fillRich, type Rich } from './damages.ts';

/** A damaged repository is set aside whole, and a new one has its place; whatever happens in between, neither is lost. */

const original = new Place();
let rich: Rich;
before(async () => {
  rich = await fillRich(original);
});
after(() => original[Symbol.dispose]());

const TIME = new Date('2026-11-21T15:14:13.120Z');

/** A data directory whose repository `shop` has lost its HEAD. */
function damagedShop(): Place {
  const place = new Place();
  cpSync(original.directory, place.directory, { recursive: true });
  rmSync(join(place.directory, 'HEAD'));
  return place;
}

test('the damaged repository is moved as it is, and the new one has all that could be read', async () => {
  using place = damagedShop();
  const damaged = contentsOf(place.directory);
  const done = await replaceRepository(place.root, 'shop', { time: TIME });
  assert.equal(done.movedTo, 'quarantine/shop-20261121T151413Z.git');
  assert.equal(done.from, 'salvage');
  assert.deepEqual(contentsOf(join(place.root, done.movedTo)), damaged);
  place.fsck();
  assert.deepEqual(place.lines('rev-list', '--reverse', 'main'), rich.commits);
  assert.deepEqual(readdirSync(join(place.root, 'quarantine')), ['shop-20261121T151413Z.git']);
});

test('a data directory may be named from where one stands', async () => {
  using place = damagedShop();
  const done = await replaceRepository(`./${relative(process.cwd(), place.root)}`, 'shop', { time: TIME });
  assert.equal(done.movedTo, 'quarantine/shop-20261121T151413Z.git');
  assert.ok(existsSync(join(place.root, done.movedTo)));
});

test('a second one in the same second gets a name of its own', async () => {
  using place = damagedShop();
  await replaceRepository(place.root, 'shop', { time: TIME });
  rmSync(join(place.directory, 'HEAD'));
  assert.equal(
    (await replaceRepository(place.root, 'shop', { time: TIME })).movedTo,
    'quarantine/shop-20261121T151413Z-2.git',
  );
});

test('where nothing can be read, the new repository is empty and the old one is kept', async () => {
  using place = damagedShop();
  rmSync(join(place.directory, 'objects'), { recursive: true });
  const done = await replaceRepository(place.root, 'shop', { time: TIME });
  assert.deepEqual([done.from, done.saved.commits], ['nothing', 0]);
  place.fsck();
  assert.ok(existsSync(join(place.root, done.movedTo)));
});

test('what the remote has is the beginning, and our own unsent commits follow', async () => {
  using place = damagedShop();
  const recover = async (repository: { readonly directory: string }) => {
    const remote = new Place();
    using _gone = remote;
    cpSync(original.directory, remote.directory, { recursive: true });
    remote.git('-C', repository.directory, 'fetch', '--quiet', remote.directory, `${rich.commits[6]}:refs/heads/main`);
  };
  const done = await replaceRepository(place.root, 'shop', {
    time: TIME,
    recover: async (repository) => {
      await recover(repository);
      await repository.reload();
    },
  });
  assert.deepEqual([done.from, done.saved.head], ['remote', rich.commits.at(-1)]);
  place.fsck();
});

test('what the check or the guard refuses changes nothing', async () => {
  for (const refusal of ['check', 'guard'] as const) {
    using place = damagedShop();
    const before = contentsOf(place.directory);
    const error = new KeeperError('Refused', { kind: 'stalled', code: 'LEADERSHIP_LOST' });
    const refuse = () => Promise.reject(error);
    await assert.rejects(replaceRepository(place.root, 'shop', { time: TIME, [refusal]: refuse }), error);
    assert.deepEqual(contentsOf(place.directory), before);
    assert.deepEqual(readdirSync(join(place.root, 'quarantine')), []);
  }
});

test('a repository of somebody else is not replaced', async () => {
  using place = new Place();
  {
    await using repository = await openRepository(place.directory);
    repository.stage('readme.txt', manifest('x', 1));
    await repository.commit({ message: 'theirs', author: AUTHOR, time: new Date(0) });
  }
  rmSync(join(place.directory, 'HEAD'));
  const before = contentsOf(place.directory);
  await assert.rejects(replaceRepository(place.root, 'shop', { time: TIME }), { code: 'REPOSITORY_FOREIGN' });
  assert.deepEqual(contentsOf(place.directory), before);
});

/** The states that a crash can leave, in order; `work` is the directory of the one under way. */
const CRASHES: [string, (place: Place, work: string) => void][] = [
  ['while the new one is built', () => {}],
  ['after the damaged one was moved', (place, work) => renameSync(place.directory, join(work, 'old'))],
  [
    'after the new one got its place',
    (place, work) => {
      renameSync(place.directory, join(work, 'old'));
      renameSync(join(work, 'next'), place.directory);
    },
  ],
];
for (const [when, crash] of CRASHES) {
  for (const attempt of ['.work', '.dead.work']) {
    test(`a crash ${when} (${attempt}) is finished by the next start`, async () => {
      using place = damagedShop();
      const damaged = contentsOf(place.directory);
      const stem = join(place.root, 'quarantine', 'shop-20261121T151413Z');
      mkdirSync(join(place.root, 'quarantine'));
      mkdirSync(`${stem}${attempt}`);
      cpSync(original.directory, join(`${stem}${attempt}`, 'next'), { recursive: true });
      crash(place, `${stem}${attempt}`);
      await finishReplacements(place.root);
      const isMoved = crash !== CRASHES[0]?.[1];
      assert.deepEqual(readdirSync(join(place.root, 'quarantine')), isMoved ? ['shop-20261121T151413Z.git'] : []);
      assert.deepEqual(contentsOf(isMoved ? `${stem}.git` : place.directory), damaged);
      if (isMoved) assert.deepEqual(place.lines('rev-list', '--reverse', 'main'), rich.commits);
    });
  }
}

test('a writer that lost the data directory while it built cannot move the repository any more', async () => {
  using place = damagedShop();
  const before = contentsOf(place.directory);
  // Right before the first rename, another one takes over and cleans up.
  const guard = () => finishReplacements(place.root);
  await assert.rejects(replaceRepository(place.root, 'shop', { time: TIME, guard }), { code: 'LEADERSHIP_LOST' });
  assert.deepEqual(contentsOf(place.directory), before);
});
