import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeeperError } from '../../controller/errors.ts';
import { readContinuedLine } from '../../controller/git/continued-line.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { retireRepository, syncRetired } from '../../controller/git/retire-repository.ts';
import { withScratch } from '../../controller/git/scratch-repository.ts';
import { AUTHOR, Place } from './bare-repository.ts';
import { contentsOf } from './damages.ts';

/** An ended line keeps everything but its name. */

async function shop(): Promise<Place> {
  const place = new Place();
  await using repository = await openRepository(place.directory);
  repository.stage('configmaps/app.json', '{}\n');
  await repository.commit({ message: 'first\n', author: AUTHOR, time: new Date(0) });
  return place;
}

test('the repository is moved as it is', async () => {
  using place = await shop();
  const before = contentsOf(place.directory);
  assert.equal(await retireRepository(place.root, 'shop', '1a2b3c4d'), 'shop.1a2b3c4d');
  await syncRetired(place.root);
  assert.ok(!existsSync(place.directory));
  assert.deepEqual(contentsOf(join(place.root, 'shop.1a2b3c4d.git')), before);
});

test('a name that somebody takes at the last moment is left to them', async () => {
  using place = await shop();
  const taken = join(place.root, 'shop.1a2b3c4d.git');
  const guard = async () => {
    if (existsSync(taken)) return;
    mkdirSync(taken);
    writeFileSync(join(taken, 'HEAD'), 'theirs');
  };
  assert.equal(await retireRepository(place.root, 'shop', '1a2b3c4d', guard), 'shop.1a2b3c4d-2');
  assert.deepEqual(readdirSync(taken), ['HEAD']);
});

test('a file of the name is no place', async () => {
  using place = await shop();
  writeFileSync(join(place.root, 'shop.1a2b3c4d.git'), 'theirs');
  assert.equal(await retireRepository(place.root, 'shop', '1a2b3c4d'), 'shop.1a2b3c4d-2');
});

test('what the guard refuses is not moved', async () => {
  using place = await shop();
  const before = contentsOf(place.root);
  const lost = new KeeperError('lost', { kind: 'stalled', code: 'LEADERSHIP_LOST' });
  await assert.rejects(
    retireRepository(place.root, 'shop', '1a2b3c4d', () => Promise.reject(lost)),
    lost,
  );
  assert.deepEqual(contentsOf(place.root), before);
});

test('what is not there is no repository that was moved', async () => {
  using place = new Place();
  await assert.rejects(retireRepository(place.root, 'shop', '1a2b3c4d'), { code: 'DATA_DIRECTORY_UNUSABLE' });
});

test('only a word with both uids, or with one while the namespace is made, continues a line', () => {
  using place = new Place();
  const say = (text: string) => {
    mkdirSync(join(place.root, 'continues'), { recursive: true });
    writeFileSync(join(place.root, 'continues/shop.json'), text);
    return readContinuedLine(place.root, 'shop');
  };
  assert.equal(readContinuedLine(place.root, 'shop'), undefined);
  assert.deepEqual(say('{"uid":"new","of":"old"}'), { uid: 'new', of: 'old' });
  assert.deepEqual(say('{"of":"old"}'), { uid: undefined, of: 'old' });
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '7',
    '{"uid":"new"}',
    '{"uid":"","of":"old"}',
    '{"uid":1,"of":"old"}',
    '{"of":""}',
  ]) {
    assert.equal(say(text), undefined, text);
  }
});

test('a scratch repository leaves nothing behind, also when the work fails or was killed before', async () => {
  using place = new Place();
  mkdirSync(join(place.root, '.shop.scratch'), { recursive: true });
  writeFileSync(join(place.root, '.shop.scratch', 'left'), 'over');
  assert.equal(await withScratch(place.root, 'shop', async ({ head }) => head), undefined);
  await assert.rejects(
    withScratch(place.root, 'shop', () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.deepEqual(readdirSync(place.root), []);
});
