import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

/** Packs that are merged and removed while somebody else has them in his list. */

async function commits(repository: Repository, count: number): Promise<readonly string[]> {
  const now = clock();
  const ids: string[] = [];
  for (let round = 0; round < count; round++) {
    repository.stage('x/a.json', manifest('x', round));
    const result = await repository.commit({ message: `${round}`, author: AUTHOR, time: now() });
    ids.push(result?.id ?? '');
  }
  return ids;
}

test('who reads beside a writer finds what lay in packs that were merged since he looked', async () => {
  using place = new Place();
  await using writer = await openRepository(place.directory);
  const ids = await commits(writer, 5);
  await using reader = await openRepository(place.directory, { readOnly: true });
  await writer.consolidate({ full: true });
  for (const id of ids) assert.equal(reader.store.has(id), true);
  for (const id of ids) assert.equal(reader.store.read(id).type, 'commit');
});

test('a pack that is being removed is not taken up again by a look for new ones', async () => {
  using place = new Place();
  await using writer = await openRepository(place.directory);
  const ids = await commits(writer, 5);
  const state = { isDone: false };
  const consolidating = writer.consolidate({ full: true }).then(() => {
    state.isDone = true;
  });
  for (; !state.isDone; await new Promise(setImmediate)) {
    // An object that is nowhere makes the store look again, at any moment of the removal.
    assert.equal(writer.store.has('1'.repeat(40)), false);
    assert.throws(() => writer.store.read('1'.repeat(40)), { code: 'REPOSITORY_DAMAGED' });
    for (const id of ids) assert.equal(writer.store.has(id), true);
  }
  await consolidating;
  assert.equal(writer.store.packs.length, 1);
});

test('a merge whose packs were merged by the writer before, which had not yet ended, begins anew with what is there', async () => {
  using place = new Place();
  await using before = await openRepository(place.directory);
  const ids = await commits(before, 5);
  await using after = await openRepository(place.directory);
  await before.consolidate({ full: true });
  assert.ok(after.store.packs.length > 1, 'it does not know yet');
  await after.consolidate({ full: true });
  assert.equal(after.store.packs.length, 1);
  for (const id of ids) assert.equal(after.store.read(id).type, 'commit');
  place.fsck();
});
