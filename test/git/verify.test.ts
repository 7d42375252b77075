import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { openRepository } from '../../controller/git/repository.ts';
import { verifyRepository } from '../../controller/git/verify-repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';
import { contentsOf, damage, filesOf, fillRich, HOWS, type Rich } from './damages.ts';

/** Our own check of a repository, judged by the real `git fsck --full --strict`. */

const original = new Place();
let rich: Rich;
before(async () => {
  rich = await fillRich(original);
});
after(() => original[Symbol.dispose]());

function copy(place: Place): void {
  cpSync(original.directory, place.directory, { recursive: true });
}

function isBadToGit(place: Place): boolean {
  const fsck = spawnSync('git', ['-C', place.directory, 'fsck', '--full', '--strict', '--no-dangling']);
  return fsck.status !== 0 || /error|fatal|missing|broken/.test(`${fsck.stderr}`);
}

/** 'where problem', for matching. */
async function problems(place: Place): Promise<readonly string[]> {
  const { findings } = await verifyRepository(place.directory);
  return findings.map(({ where, problem }) => `${where} ${problem}`);
}

test('a repository of ours is sound, and so is what git gc makes of it', async () => {
  using place = new Place();
  copy(place);
  for (const prepare of [() => {}, () => place.git('gc', '--quiet'), () => place.git('multi-pack-index', 'write')]) {
    prepare();
    assert.equal(isBadToGit(place), false);
    const { findings, isDamaged, commits } = await verifyRepository(place.directory);
    assert.deepEqual(findings, []);
    assert.equal(isDamaged, false);
    // Those of the notes are commits, too.
    assert.equal(commits, rich.commits.length + 2);
  }
});

test('an empty repository is sound', async () => {
  using place = new Place();
  await (await openRepository(place.directory))[Symbol.asyncDispose]();
  assert.deepEqual(await problems(place), []);
});

test('whatever single file is damaged, we find it where Git finds it, and look without writing', async () => {
  const files = filesOf(original.directory).filter((file) => /^(?:objects|refs)\/|^(?:HEAD|packed-refs)$/.test(file));
  const at = fc.double({ min: 0, max: 0.999999, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), fc.constantFrom(...HOWS), at, async (file, how, at) => {
      using place = new Place();
      copy(place);
      damage(join(place.directory, file), how, at);
      const before = contentsOf(place.directory);
      const found = await problems(place);
      assert.deepEqual(contentsOf(place.directory), before);
      if (isBadToGit(place)) assert.notDeepEqual(found, [], 'Git finds something');
      // Of refs Git believes more than we do.
      else if (file.startsWith('objects/')) assert.deepEqual(found, [], 'Git finds nothing');
    }),
    { numRuns: 100 },
  );
});

/** What Git itself passes over, or says in other words. */
const DAMAGES: [string, RegExp, (place: Place) => void][] = [
  ['no HEAD', /^HEAD is missing/, (place) => rmSync(join(place.directory, 'HEAD'))],
  [
    'a HEAD that leads nowhere',
    /^HEAD names no branch/,
    (place) => writeFileSync(join(place.directory, 'HEAD'), 'ref: refs/heads/maim\n'),
  ],
  ['no config', /^config is missing/, (place) => rmSync(join(place.directory, 'config'))],
  [
    'an empty config',
    /^config does not say that the repository is bare/,
    (place) => writeFileSync(join(place.directory, 'config'), ''),
  ],
  [
    'a config with a broken line',
    /^config has a line that is no setting/,
    (place) => appendFileSync(join(place.directory, 'config'), '\u0001x\n'),
  ],
  [
    'a lost branch',
    /^refs\/heads\/main is missing though/,
    (place) => {
      rmSync(join(place.directory, 'refs/heads/main'));
      rmSync(join(place.directory, 'packed-refs'));
    },
  ],
  ['lost refs', /^refs\/heads is missing/, (place) => rmSync(join(place.directory, 'refs'), { recursive: true })],
  [
    'no packs',
    /^objects\/pack is missing/,
    (place) => rmSync(join(place.directory, 'objects/pack'), { recursive: true }),
  ],
  [
    'an empty tag',
    /^refs\/tags\/plain is empty/,
    (place) => writeFileSync(join(place.directory, 'refs/tags/plain'), ''),
  ],
  [
    'a broken line of packed-refs',
    /^packed-refs has a line that is no ref/,
    (place) => appendFileSync(join(place.directory, 'packed-refs'), 'abc\n'),
  ],
];
for (const [what, said, change] of DAMAGES) {
  test(`${what} is told as damage`, async () => {
    using place = new Place();
    copy(place);
    change(place);
    const { findings, isDamaged } = await verifyRepository(place.directory);
    assert.ok(
      findings.some(({ where, problem }) => said.test(`${where} ${problem}`)),
      JSON.stringify(findings),
    );
    assert.equal(isDamaged, true);
  });
}

const WARNINGS: [string, RegExp, (place: Place) => void][] = [
  [
    'clean-up by Git that is not switched off',
    /^config does not say gc\.auto = 0/,
    (place) => place.git('config', '--unset', 'gc.auto'),
  ],
  [
    'a shallow history',
    /^shallow is there/,
    (place) => writeFileSync(join(place.directory, 'shallow'), `${rich.commits[3]}\n`),
  ],
  [
    'borrowed objects',
    /^objects\/info\/alternates is there/,
    (place) => writeFileSync(join(place.directory, 'objects/info/alternates'), '/elsewhere\n'),
  ],
  [
    'a newer format',
    /is of a newer format/,
    (place) => commitFile(place, '.kubekeeper/archive.json', '{"formatVersion":99}'),
  ],
];
for (const [what, said, change] of WARNINGS) {
  test(`${what} is a warning`, async () => {
    using place = new Place();
    copy(place);
    change(place);
    const { findings, isDamaged } = await verifyRepository(place.directory);
    assert.ok(
      findings.some(({ where, problem }) => said.test(`${where} ${problem}`)),
      JSON.stringify(findings),
    );
    assert.equal(isDamaged, false);
  });
}

test('an archive file that is not ours is damage', async () => {
  using place = new Place();
  copy(place);
  commitFile(place, '.kubekeeper/archive.json', 'no JSON');
  assert.match((await problems(place)).join(), /archive\.json of main is not one that kubekeeper wrote/);
});

/** A commit of somebody else on main that replaces one file below a directory. */
function commitFile(place: Place, path: string, text: string): void {
  const [directory, name] = path.split('/');
  const git = (input: string, ...args: string[]) => {
    const done = spawnSync(
      'git',
      ['-C', place.directory, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args],
      { input },
    );
    assert.equal(done.status, 0, `${done.stderr}`);
    return `${done.stdout}`.trim();
  };
  const blob = git(text, 'hash-object', '-w', '--stdin');
  const tree = git(`100644 blob ${blob}\t${name}\n`, 'mktree');
  const top = git('', 'ls-tree', 'main')
    .split('\n')
    .filter((line) => !line.endsWith(`\t${directory}`));
  const root = git(`${[...top, `040000 tree ${tree}\t${directory}`].join('\n')}\n`, 'mktree');
  git('', 'update-ref', 'refs/heads/main', git('', 'commit-tree', root, '-p', 'main', '-m', 'theirs'));
}

const BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391';
const entry = (mode: string, name: string, id = BLOB) =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
const COMMIT =
  'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x <x@y> 1 +0000\ncommitter x <x@y> 1 +0000\n\nm\n';
const MALFORMED: [string, 'tree' | 'commit' | 'tag', Buffer | string][] = [
  ['a tree out of order', 'tree', Buffer.concat([entry('100644', 'b'), entry('100644', 'a')])],
  [
    'a directory sorted like a file',
    'tree',
    Buffer.concat([entry('40000', 'a', '4b825dc642cb6eb9a060e54bf8d69288fbee4904'), entry('100644', 'a.b')]),
  ],
  ['a tree with a twin', 'tree', Buffer.concat([entry('100644', 'a'), entry('100644', 'a')])],
  [
    'a file and a directory of one name',
    'tree',
    Buffer.concat([
      entry('100644', 'a'),
      entry('100644', 'a.b'),
      entry('40000', 'a', '4b825dc642cb6eb9a060e54bf8d69288fbee4904'),
    ]),
  ],
  ['a mode with a leading zero', 'tree', entry('040000', 'a', '4b825dc642cb6eb9a060e54bf8d69288fbee4904')],
  ['a path for a name', 'tree', entry('100644', 'a/b')],
  ['an entry without a name', 'tree', entry('100644', '')],
  ['an entry ".git"', 'tree', entry('100644', '.Git')],
  ['an entry ".."', 'tree', entry('100644', '..')],
  ['a commit without an author', 'commit', COMMIT.replace(/author.*\n/, '')],
  ['a commit without an address', 'commit', COMMIT.replaceAll(' <x@y>', '')],
  ['a commit with a padded date', 'commit', COMMIT.replaceAll(' 1 +', ' 01 +')],
  ['a commit with a broken zone', 'commit', COMMIT.replaceAll('+0000', '+00')],
  ['a commit with a NUL', 'commit', COMMIT.replace('m\n', 'm\0\n')],
  ['a tag of nothing', 'tag', 'type commit\ntag x\ntagger x <x@y> 1 +0000\n\nm\n'],
  ['a tag of an unknown type', 'tag', `object ${BLOB}\ntype thing\ntag x\ntagger x <x@y> 1 +0000\n\nm\n`],
];
for (const [what, type, content] of MALFORMED) {
  test(`${what} is found, as Git finds it`, async () => {
    using place = new Place();
    copy(place);
    const write = (kind: string, input: Buffer | string) => {
      const args = ['-C', place.directory, 'hash-object', '-t', kind, '-w', '--stdin', '--literally'];
      return `${spawnSync('git', args, { input }).stdout}`.trim();
    };
    write('blob', '');
    write('tree', '');
    const id = write(type, content);
    assert.equal(isBadToGit(place), true);
    const { findings, isDamaged } = await verifyRepository(place.directory);
    assert.ok(
      findings.some(({ where }) => where === `object ${id}`),
      JSON.stringify(findings),
    );
    // Nothing of it is lost: no reason to set the repository aside.
    assert.equal(isDamaged, false);
  });
}

test('what a ref, a tag, a note or a tree names and is not there is found', async () => {
  for (const name of ['refs/heads/main', 'refs/tags/good/two', 'refs/notes/data', 'refs/remotes/origin/main']) {
    using place = new Place();
    copy(place);
    place.git('repack', '-a', '-d', '--quiet');
    const id = place.lines('rev-parse', name)[0] as string;
    const loose = unpack(place);
    rmSync(join(loose.directory, 'objects', id.slice(0, 2), id.slice(2)));
    assert.equal(isBadToGit(loose), true);
    assert.match(
      (await problems(loose)).join('\n'),
      new RegExp(`object ${id} is missing or cannot be read, ${name} needs it`),
    );
  }
});

/** The same repository with every object in a file of its own. */
function unpack(place: Place): Place {
  const packs = filesOf(place.directory).filter((file) => file.endsWith('.pack'));
  for (const file of packs) {
    const away = join(place.root, 'away.pack');
    cpSync(join(place.directory, file), away);
    for (const suffix of ['pack', 'idx', 'rev'])
      rmSync(join(place.directory, file.replace(/pack$/, suffix)), { force: true });
    assert.equal(spawnSync('sh', ['-c', `git -C '${place.directory}' unpack-objects -q < '${away}'`]).status, 0);
  }
  mkdirSync(join(place.directory, 'objects', 'pack'), { recursive: true });
  return place;
}

test('beside a writer that commits and consolidates, nothing is found that is not there', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  const stop = new AbortController();
  const writing = (async () => {
    for (let k = 0; !stop.signal.aborted; k++) {
      repository.stage(`x/${k % 50}.json`, manifest(`x-${k % 50}`, k));
      await repository.commit({ message: `${k}`, author: AUTHOR, time: now() });
      if (k % 5 === 4) await repository.consolidate({ full: true });
    }
  })();
  for (let round = 0; round < 40; round++) {
    const found = (await problems(place)).filter((problem) => !problem.includes('archive.json'));
    assert.deepEqual(found, []);
  }
  stop.abort();
  await writing;
});

test('ten thousand objects are looked at in a few times what git fsck takes', async () => {
  using place = new Place();
  {
    const now = clock();
    await using repository = await openRepository(place.directory);
    for (let i = 0; i < 10_000; i++) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
    for (let k = 0; k < 20; k++) {
      repository.stage(`configmaps/c-${k}.json`, manifest(`c-${k}`, k + 1));
      await repository.commit({ message: `${k}`, author: AUTHOR, time: now() });
    }
  }
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round++) {
    theirs.push(timed(() => isBadToGit(place)));
    const start = performance.now();
    await verifyRepository(place.directory);
    ours.push(performance.now() - start);
  }
  const [own, git] = [Math.min(...ours), Math.min(...theirs)];
  assert.ok(own < 5 * git, `${own.toFixed(0)} ms against ${git.toFixed(0)} ms`);
});

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

test('it ends when it is told to', async () => {
  using place = new Place();
  copy(place);
  await assert.rejects(verifyRepository(place.directory, { signal: AbortSignal.abort() }), { name: 'AbortError' });
});
