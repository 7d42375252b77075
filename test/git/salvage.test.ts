import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { createRepository } from '../../controller/git/layout.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { salvage } from '../../controller/git/salvage.ts';
import { verifyRepository } from '../../controller/git/verify-repository.ts';
import { AUTHOR, manifest, Place } from './bare-repository.ts';
import { contentsOf, damage, damageObject, filesOf, fillRich, HOWS, type Rich, refsOf } from './damages.ts';

/** What can still be read of a damaged repository is copied into a new one, and nothing of the damaged one is touched. */

const original = new Place();
let rich: Rich;
before(async () => {
  rich = await fillRich(original);
});
after(() => original[Symbol.dispose]());

/** A copy to damage, beside which the new one will lie. */
function copyOf(place: Place): string {
  const damaged = join(place.root, 'damaged.git');
  cpSync(original.directory, damaged, { recursive: true });
  return damaged;
}

async function salvageInto(place: Place, damaged: string) {
  const before = contentsOf(damaged);
  await createRepository(place.directory);
  const saved = await salvage(damaged, place.directory);
  assert.deepEqual(contentsOf(damaged), before);
  place.fsck();
  assert.equal(saved.head, place.lines('for-each-ref', '--format=%(objectname)', 'refs/heads/main')[0]);
  assert.equal(saved.commits, saved.head === undefined ? 0 : place.lines('rev-list', 'main').length);
  // Whoever goes on with it finds nothing wrong.
  assert.deepEqual((await verifyRepository(place.directory)).findings, []);
  await (await openRepository(place.directory))[Symbol.asyncDispose]();
  return saved;
}

test('of a repository without damage everything is copied: commits, tags, notes, where the remote was left', async () => {
  using place = new Place();
  const saved = await salvageInto(place, copyOf(place));
  assert.equal(saved.head, rich.commits.at(-1));
  assert.deepEqual(refsOf(place), new Map(rich.refs));
  assert.deepEqual(saved.findings.findings, []);
  assert.equal(place.git('notes', '--ref=data', 'show', rich.commits[3] as string).trim(), 'ready');
});

/** Commits that the real Git can still read with everything behind them, judged by the objects alone. */
function readable(damaged: string, root: string): readonly string[] {
  const judge = join(root, 'judge.git');
  execFileSync('git', ['init', '--quiet', '--bare', judge]);
  rmSync(join(judge, 'objects'), { recursive: true });
  cpSync(join(damaged, 'objects'), join(judge, 'objects'), { recursive: true });
  mkdirSync(join(judge, 'objects', 'pack'), { recursive: true });
  const packing = [
    '-C',
    judge,
    'pack-objects',
    '--revs',
    '--stdout',
    '--quiet',
    '--no-reuse-object',
    '--no-reuse-delta',
  ];
  return rich.commits.filter((id) => spawnSync('git', packing, { input: `${id}\n` }).status === 0);
}

test('whatever is damaged, every commit that Git can still read is saved, and the new repository is whole', async () => {
  const files = filesOf(original.directory).filter((file) =>
    /^(?:objects|refs)\/|^(?:HEAD|config|packed-refs)$/.test(file),
  );
  const one = fc.record({
    file: fc.constantFrom(...files),
    how: fc.constantFrom(...HOWS),
    at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(one, { minLength: 1, maxLength: 3, selector: ({ file }) => file }),
      async (damages) => {
        using place = new Place();
        const damaged = copyOf(place);
        for (const { file, how, at } of damages) damage(join(damaged, file), how, at);
        const expected = readable(damaged, place.root).at(-1);
        const saved = await salvageInto(place, damaged);
        const [least, got] = [rich.commits.indexOf(expected ?? ''), rich.commits.indexOf(saved.head ?? '')];
        assert.ok(got >= least, `saved up to ${got}, Git reads up to ${least}`);
      },
    ),
    { numRuns: 60 },
  );
});

const LOSSES: [string, (damaged: string) => void][] = [
  ['HEAD', (damaged) => rmSync(join(damaged, 'HEAD'))],
  ['config', (damaged) => writeFileSync(join(damaged, 'config'), '')],
  // Where packed-refs has an older one.
  ['the branch', (damaged) => rmSync(join(damaged, 'refs/heads/main'))],
  ['all refs', (damaged) => ['refs', 'packed-refs'].map((name) => rmSync(join(damaged, name), { recursive: true }))],
  [
    'every index',
    (damaged) =>
      filesOf(damaged)
        .filter((file) => file.endsWith('.idx'))
        .map((file) => rmSync(join(damaged, file))),
  ],
];
for (const [what, lose] of LOSSES) {
  test(`without ${what}, all commits, annotated tags and notes are found again`, async () => {
    using place = new Place();
    const damaged = copyOf(place);
    lose(damaged);
    const saved = await salvageInto(place, damaged);
    assert.equal(saved.commits, rich.commits.length);
    for (const name of ['refs/tags/good/one', 'refs/tags/good/two', 'refs/notes/data']) {
      assert.equal(refsOf(place).get(name), rich.refs.get(name), name);
    }
  });
}

test('a damaged commit in the middle costs what came after it, not what came before', async () => {
  using place = new Place();
  const damaged = copyOf(place);
  damageObject(damaged, rich.commits[8] as string);
  const saved = await salvageInto(place, damaged);
  assert.equal(saved.head, rich.commits[7]);
  assert.equal(refsOf(place).get('refs/tags/good/two'), rich.refs.get('refs/tags/good/two'));
});

test('a damaged tag or note is left out, and older notes stay', async () => {
  using place = new Place();
  const damaged = copyOf(place);
  for (const name of ['refs/tags/good/one', 'refs/notes/data']) {
    const id = rich.refs.get(name) as string;
    damage(join(damaged, 'objects', id.slice(0, 2), id.slice(2)), 'flipped');
  }
  const saved = await salvageInto(place, damaged);
  assert.equal(saved.head, rich.commits.at(-1));
  assert.equal(refsOf(place).has('refs/tags/good/one'), false);
  assert.equal(place.git('notes', '--ref=data', 'show', rich.commits[3] as string).trim(), 'ready');
});

test('holes are filled from what the remote had, and commits that it never got go on top of it', async () => {
  using place = new Place();
  const damaged = copyOf(place);
  // The remote has all but the last two commits; of those before, one is damaged here.
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', place.directory]);
  place.git('fetch', '--quiet', original.directory, `${rich.commits[9]}:refs/heads/main`);
  place.git('gc', '--quiet');
  damageObject(damaged, rich.commits[4] as string);
  const saved = await salvage(damaged, place.directory);
  place.fsck();
  assert.equal(saved.head, rich.commits.at(-1));
  assert.deepEqual(place.lines('rev-list', '--reverse', 'main'), rich.commits);
});

test('where our unsent commits cannot be read, the history of the remote stays as it is', async () => {
  using place = new Place();
  const damaged = copyOf(place);
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', place.directory]);
  place.git('fetch', '--quiet', original.directory, `${rich.commits[9]}:refs/heads/main`);
  place.git('gc', '--quiet');
  for (const id of rich.commits.slice(-2)) damageObject(damaged, id);
  assert.equal((await salvage(damaged, place.directory)).head, rich.commits[9]);
  place.fsck();
});

test('where no commit is left, notes and tags about nothing are left out, so that the new repository can begin', async () => {
  using place = new Place();
  const damaged = copyOf(place);
  damageObject(
    damaged,
    execFileSync('git', ['-C', damaged, 'rev-parse', `main:.kubekeeper/archive.json`]).toString().trim(),
  );
  const saved = await salvageInto(place, damaged);
  assert.deepEqual([saved.head, saved.isForeign], [undefined, false]);
  assert.deepEqual(refsOf(place), new Map());
});

test('a deltified history keeps its size when it is copied', async () => {
  using large = new Place();
  {
    await using repository = await openRepository(large.directory);
    repository.stage('.kubekeeper/archive.json', '{"formatVersion":1}');
    for (let i = 0; i < 500; i++) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
    for (let k = 0; k < 200; k++) {
      repository.stage(`configmaps/c-${k}.json`, manifest(`c-${k}`, k + 1));
      await repository.commit({ message: `${k}`, author: AUTHOR, time: new Date(k * 1000) });
    }
    await repository.consolidate({ full: true });
  }
  using place = new Place();
  await createRepository(place.directory);
  assert.equal((await salvage(large.directory, place.directory)).commits, 200);
  place.fsck();
  const bytes = (each: Place) => Number(/size-pack: (\d+)/.exec(each.git('count-objects', '-v'))?.[1]);
  assert.ok(bytes(place) <= bytes(large) * 1.05, `${bytes(place)} KiB from ${bytes(large)} KiB`);
});

test('commits that are no archive are somebody else’s', async () => {
  using theirs = new Place();
  {
    await using repository = await openRepository(theirs.directory);
    repository.stage('readme.txt', 'hello');
    await repository.commit({ message: 'theirs', author: AUTHOR, time: new Date(0) });
  }
  using place = new Place();
  await createRepository(place.directory);
  const saved = await salvage(theirs.directory, place.directory);
  assert.deepEqual([saved.head, saved.isForeign], [undefined, true]);
});
