import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blobId } from '../../controller/git/object-id.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

async function writeThree(place: Place): Promise<string> {
  const now = clock();
  await using repository = await openRepository(place.directory);
  for (let k = 0; k < 3; k++) {
    repository.stage('x/a.json', manifest('a', k));
    await repository.commit({ message: `${k}`, author: AUTHOR, time: now() });
  }
  return join(place.directory, 'objects', 'pack');
}

function contentsOf(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return new Map(
    files.map((file) => [join(file.parentPath, file.name), readFileSync(join(file.parentPath, file.name), 'hex')]),
  );
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
  const bytes = readFileSync(path);
  bytes.writeUInt8((bytes[100] as number) ^ 0xff, 100);
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
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
    (place) => writeFileSync(join(place.directory, 'HEAD'), 'ref: refs/heads/other\n'),
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
