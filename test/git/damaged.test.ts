import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeeperError } from '../../controller/errors.ts';
import { log } from '../../controller/git/history.ts';
import { blobId } from '../../controller/git/object-id.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';
import { contentsOf, damage, filesOf, fillRich, flip, HOWS } from './damages.ts';

async function writeThree(place: Place): Promise<string> {
  const now = clock();
  await using repository = await openRepository(place.directory);
  for (let k = 0; k < 3; k++) {
    repository.stage('x/a.json', manifest('a', k));
    await repository.commit({ message: `${k}`, author: AUTHOR, time: now() });
  }
  return join(place.directory, 'objects', 'pack');
}

const DAMAGES: [string, RegExp, (place: Place, packs: string) => void][] = [
  [
    'an empty branch',
    /refs\/heads\/main is empty/,
    (place) => writeFileSync(join(place.directory, 'refs/heads/main'), ''),
  ],
  [
    'a branch that names nothing',
    /object 1{40} is missing/,
    (place) => writeFileSync(join(place.directory, 'refs/heads/main'), `${'1'.repeat(40)}\n`),
  ],
  [
    'a lost branch',
    /refs\/heads\/main is missing though there are commits/,
    (place) => rmSync(join(place.directory, 'refs/heads/main')),
  ],
  ['a pack that is cut short', /pack-[0-9a-f]{40}\.pack is cut short/, (_, packs) => cut(packs, '.pack', 30)],
  ['an index that is cut short', /pack-[0-9a-f]{40}\.(idx|pack) is /, (_, packs) => cut(packs, '.idx', 50)],
  ['a lost pack', /pack-[0-9a-f]{40}\.pack is missing/, (_, packs) => rmSync(firstOf(packs, '.pack'))],
  [
    'a lost index',
    /has no index and holds objects that are missed|object [0-9a-f]{40} is missing/,
    (_, packs) => rmSync(firstOf(packs, '.idx')),
  ],
  ['an empty HEAD', /HEAD is empty/, (place) => writeFileSync(join(place.directory, 'HEAD'), '')],
  ['a lost HEAD', /HEAD is missing/, (place) => rmSync(join(place.directory, 'HEAD'))],
  [
    'a HEAD that leads nowhere',
    /HEAD names no branch that is there/,
    (place) => writeFileSync(join(place.directory, 'HEAD'), 'ref: refs/heads/maim\n'),
  ],
  ['a lost config', /config is missing/, (place) => rmSync(join(place.directory, 'config'))],
  ['an empty config', /config does not say/, (place) => writeFileSync(join(place.directory, 'config'), '')],
  [
    'a config with a line that is none',
    /config has a line that is no setting/,
    (place) => appendFileSync(join(place.directory, 'config'), '\u0001\u0002\n'),
  ],
  ['an empty tag', /refs\/tags\/good is empty/, (place) => writeFileSync(join(place.directory, 'refs/tags/good'), '')],
  [
    'a note that names nothing',
    /refs\/notes\/data holds no object id/,
    (place) => {
      mkdirSync(join(place.directory, 'refs/notes'));
      writeFileSync(join(place.directory, 'refs/notes/data'), 'x\n');
    },
  ],
  [
    'packed-refs with half a line',
    /packed-refs has a line that is no ref/,
    (place) => writeFileSync(join(place.directory, 'packed-refs'), `${'1'.repeat(40)} re`),
  ],
  ['lost packs', /objects\/pack is missing/, (_, packs) => rmSync(packs, { recursive: true })],
  ['an index with a changed id', /\.idx is no whole index/, (_, packs) => change(packs, '.idx', 8 + 256 * 4 + 3)],
  ['an index with a changed table', /\.idx is no whole index/, (_, packs) => change(packs, '.idx', 8 + 4 * 100)],
  ['lost refs', /refs\/heads is missing/, (place) => rmSync(join(place.directory, 'refs/heads'), { recursive: true })],
];

function firstOf(packs: string, suffix: string): string {
  return join(packs, readdirSync(packs).find((name) => name.endsWith(suffix)) as string);
}

function cut(packs: string, suffix: string, bytes: number): void {
  const path = firstOf(packs, suffix);
  chmodSync(path, 0o644);
  truncateSync(path, readFileSync(path).length - bytes);
}

/** In every pack: which of them is looked at first is not ours to say. */
function change(packs: string, suffix: string, at: number): void {
  for (const name of readdirSync(packs).filter((one) => one.endsWith(suffix))) flip(join(packs, name), at * 8);
}

for (const [what, said, damage] of DAMAGES) {
  test(`${what} is named, and nothing is overwritten`, async () => {
    using place = new Place();
    damage(place, await writeThree(place));
    const before = contentsOf(place.directory);
    await assert.rejects(openRepository(place.directory), (error: Error & { code?: string; kind?: string }) => {
      assert.equal(error.code, 'REPOSITORY_DAMAGED');
      assert.equal(error.kind, 'stalled');
      assert.match(error.message, said);
      assert.match(error.message, /^[^\n]*$/);
      return true;
    });
    assert.deepEqual(contentsOf(place.directory), before);
  });
}

test('a byte that changed on the disk is noticed before it is copied into a merged pack, and every pack stays', async () => {
  using place = new Place();
  const alone = randomBytes(500);
  await using repository = await openRepository(place.directory);
  repository.stage('z/alone.json', alone);
  await repository.commit({ message: 'alone', author: AUTHOR, time: new Date(0) });
  const packs = join(place.directory, 'objects', 'pack');
  const path = firstOf(packs, '.pack');
  for (let k = 0; k < 2; k++) {
    repository.stage('x/a.json', manifest('a', k));
    await repository.commit({ message: `${k}`, author: AUTHOR, time: new Date(0) });
  }
  flip(path, 100 * 8);
  await assert.rejects(repository.consolidate({ full: true }), {
    code: 'REPOSITORY_DAMAGED',
    message: /was changed at byte 12/,
  });
  await assert.rejects(repository.read(blobId(alone)), { code: 'REPOSITORY_DAMAGED' });
  assert.equal(readdirSync(packs).filter((name) => name.endsWith('.pack')).length, 3);
  assert.deepEqual(
    readdirSync(packs).filter((name) => name.startsWith('tmp_')),
    [],
  );
});

const FOREIGN: [string, RegExp, (place: Place) => void][] = [
  [
    'a repository of sha256 ids',
    /object format is sha256/,
    (place) => appendFileSync(join(place.directory, 'config'), '[extensions]\n\tobjectFormat = sha256\n'),
  ],
  [
    'a repository with a reftable',
    /refs are stored as reftable/,
    (place) => appendFileSync(join(place.directory, 'config'), '[extensions]\n\trefStorage = reftable\n'),
  ],
  [
    'a repository that borrows objects',
    /borrows objects/,
    (place) => writeFileSync(join(place.directory, 'objects/info/alternates'), '/elsewhere/objects\n'),
  ],
  [
    'another branch in HEAD',
    /HEAD is not the branch main/,
    (place) => {
      place.git('branch', 'other', 'main');
      place.git('symbolic-ref', 'HEAD', 'refs/heads/other');
    },
  ],
];

for (const [what, said, change] of FOREIGN) {
  test(`${what} is not touched`, async () => {
    using place = new Place();
    await writeThree(place);
    change(place);
    const before = contentsOf(place.directory);
    await assert.rejects(openRepository(place.directory), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'REPOSITORY_FOREIGN');
      assert.match(error.message, said);
      return true;
    });
    assert.deepEqual(contentsOf(place.directory), before);
  });
}

test('a directory that holds something else is left alone', async () => {
  using place = new Place();
  mkdirSync(place.directory);
  writeFileSync(join(place.directory, 'letter.txt'), 'dear');
  await assert.rejects(openRepository(place.directory), { code: 'REPOSITORY_FOREIGN' });
  assert.deepEqual(readdirSync(place.root), ['shop.git']);
  assert.deepEqual(readdirSync(place.directory), ['letter.txt']);
});

test('whatever single file is damaged, opening and reading everything works or names the damage', async () => {
  using original = new Place();
  await fillRich(original);
  const files = filesOf(original.directory);
  const at = fc.double({ min: 0, max: 0.999999, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), fc.constantFrom(...HOWS), at, async (file, how, at) => {
      using place = new Place();
      cpSync(original.directory, place.directory, { recursive: true });
      damage(join(place.directory, file), how, at);
      try {
        await readEverything(place.directory);
      } catch (error) {
        assert.ok(error instanceof KeeperError, `${error}`);
        // A digit of the format's version may become another one.
        assert.ok(
          error.code === 'REPOSITORY_DAMAGED' || (file === 'config' && error.code === 'REPOSITORY_FOREIGN'),
          error.message,
        );
      }
    }),
    { numRuns: 200 },
  );
});

/** As the archive does when everything changes, and a reader of the whole history. */
async function readEverything(directory: string): Promise<void> {
  await using repository = await openRepository(directory, { autoConsolidate: false });
  for (const { path } of [...repository.files()]) await repository.readFile(path);
  for await (const { id } of log(repository)) repository.readNote(id);
  for (const id of repository.refs().values()) await repository.read(id);
  repository.stage('x.json', '{}');
  await repository.commit({ message: 'x', author: AUTHOR, time: new Date() });
  await repository.consolidate({ full: true });
}

test('a pack whose index was lost is no leftover while only an old version lies in it', async () => {
  using place = new Place();
  const packs = join(place.directory, 'objects', 'pack');
  let spilled = '';
  {
    await using repository = await openRepository(place.directory, { autoConsolidate: false });
    repository.stage('x/a.json', manifest('a', 1));
    await repository.spill();
    spilled = firstOf(packs, '.idx');
    repository.stage('x/b.json', manifest('b', 1));
    await repository.commit({ message: 'both', author: AUTHOR, time: new Date(0) });
    repository.stage('x/a.json', manifest('a', 2));
    await repository.commit({ message: 'a', author: AUTHOR, time: new Date(1000) });
  }
  rmSync(spilled);
  const before = contentsOf(place.directory);
  await assert.rejects(openRepository(place.directory), {
    code: 'REPOSITORY_DAMAGED',
    message: /has no index and holds objects that are missed/,
  });
  assert.deepEqual(contentsOf(place.directory), before);
});

test('an entry that claims to be enormous is damage, not a lack of memory', async () => {
  using place = new Place();
  const packs = await writeThree(place);
  for (const name of readdirSync(packs).filter((one) => one.endsWith('.pack'))) {
    const bytes = readFileSync(join(packs, name));
    // The first entry says that 2^60 bytes follow.
    bytes.set([0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 12);
    chmodSync(join(packs, name), 0o644);
    writeFileSync(join(packs, name), bytes);
  }
  const before = process.memoryUsage().rss;
  const read = async () => {
    await using repository = await openRepository(place.directory, { readOnly: true });
    return await repository.readFile('x/a.json');
  };
  await assert.rejects(read(), { code: 'REPOSITORY_DAMAGED' });
  assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
});
