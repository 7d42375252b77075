import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';
import { inPieces } from './pack-bytes.ts';

async function commitSome(repository: Repository, count: number, now: () => Date): Promise<string[]> {
  const ids: string[] = [];
  for (let k = 0; k < count; k++) {
    repository.stage(`x/${k % 5}.json`, manifest('x', k));
    ids.push((await repository.commit({ message: `${k}`, author: AUTHOR, time: now() }))?.id as string);
  }
  return ids;
}

/** A pack of what `to` leads to and `from` does not; self-contained. */
function packBetween(place: Place, from: string | undefined, to: string): Buffer {
  const lines = [to, ...(from === undefined ? [] : [`^${from}`]), ''].join('\n');
  return place.gitInput(lines, 'pack-objects', '--revs', '--stdout', '--quiet', '--delta-base-offset');
}

function packFiles(place: Place): string[] {
  return readdirSync(join(place.directory, 'objects', 'pack'));
}

test('an empty repository takes over a whole history, and one that is behind what it lacks', async () => {
  using theirs = new Place();
  using ours = new Place();
  const now = clock();
  await using remote = await openRepository(theirs.directory);
  const ids = await commitSome(remote, 12, now);
  await using repository = await openRepository(ours.directory);
  await repository.receivePack(inPieces(packBetween(theirs, undefined, ids[5] as string)));
  await repository.fastForward(ids[5] as string);
  assert.equal(repository.head, ids[5]);
  assert.equal((await repository.readFile('x/0.json'))?.toString(), manifest('x', 5));
  repository.stage('y/staged.json', 'stays staged\n');
  await repository.receivePack(inPieces(packBetween(theirs, ids[5], ids[11] as string)));
  await repository.fastForward(ids[11] as string);
  await repository.fastForward(ids[11] as string);
  assert.deepEqual([...repository.stagedPaths()], ['y/staged.json']);
  assert.equal((await repository.readFile('x/0.json'))?.toString(), manifest('x', 10));
  const next = await repository.commit({ message: 'next', author: AUTHOR, time: now() });
  assert.deepEqual(ours.lines('rev-list', 'main'), [next?.id, ...theirs.lines('rev-list', 'main')]);
  ours.fsck();
  assert.deepEqual(
    packFiles(ours).filter((name) => name.endsWith('.keep')),
    [],
  );
});

test('a commit that does not follow, or misses anything that leads to it, does not move main', async () => {
  using theirs = new Place();
  using ours = new Place();
  const now = clock();
  await using remote = await openRepository(theirs.directory);
  const ids = await commitSome(remote, 6, now);
  await using repository = await openRepository(ours.directory);
  await repository.receivePack(inPieces(packBetween(theirs, undefined, ids[1] as string)));
  await repository.fastForward(ids[1] as string);
  const refusals: [string, RegExp][] = [
    ['1'.repeat(40), /is not there/],
    [ids[0] as string, /does not follow main/],
  ];
  const gap = packBetween(theirs, ids[3], ids[5] as string);
  const noBlobs = theirs.gitInput(
    `${ids[2]}\n^${ids[1]}\n`,
    'pack-objects',
    '--revs',
    '--stdout',
    '--quiet',
    '--filter=blob:none',
  );
  await repository.receivePack(inPieces(gap));
  refusals.push([ids[5] as string, /cannot be followed to its beginning/]);
  await repository.receivePack(inPieces(noBlobs));
  refusals.push([ids[2] as string, /needs object [0-9a-f]{40}, which is not there/]);
  for (const [to, message] of refusals) {
    await assert.rejects(repository.fastForward(to), { code: 'REQUEST_REFUSED', message });
  }
  assert.equal(repository.head, ids[1]);
  assert.equal(ours.git('rev-parse', 'main').trim(), ids[1]);
});

test('a received pack waits untouched until a ref leads to it; if none does, the next start removes it', async () => {
  using theirs = new Place();
  using ours = new Place();
  const now = clock();
  await using remote = await openRepository(theirs.directory);
  const ids = await commitSome(remote, 6, now);
  const kept = () => packFiles(ours).filter((name) => name.endsWith('.keep')).length;
  {
    await using repository = await openRepository(ours.directory);
    await repository.receivePack(inPieces(packBetween(theirs, undefined, ids[3] as string)));
    await repository.receivePack(inPieces(packBetween(theirs, ids[3], ids[5] as string)));
    await repository.consolidate({ full: true });
    assert.equal(kept(), 2);
  }
  {
    await using repository = await openRepository(ours.directory);
    assert.deepEqual(packFiles(ours), []);
    await repository.receivePack(inPieces(packBetween(theirs, undefined, ids[3] as string)));
    await repository.fastForward(ids[2] as string);
    assert.equal(kept(), 0);
    await repository.receivePack(inPieces(packBetween(theirs, ids[3], ids[4] as string)));
    await repository.updateRef('refs/remotes/origin/main', { from: undefined, to: ids[4] });
    assert.equal(kept(), 0);
    await repository.receivePack(inPieces(packBetween(theirs, ids[4], ids[5] as string)));
    const merge = { message: 'merge', author: AUTHOR, time: now(), mergeParents: [ids[5] as string] };
    await repository.commit(merge);
    assert.equal(kept(), 0);
    await repository.receivePack(inPieces(packBetween(theirs, ids[4], ids[5] as string)));
    assert.equal(kept(), 1);
  }
  await using repository = await openRepository(ours.directory);
  assert.equal(kept(), 0, 'what a ref leads to is kept, also where it is there twice');
  ours.fsck();
  await repository.consolidate({ full: true });
  ours.fsck();
  assert.equal(ours.lines('rev-list', 'main').length, 7);
});
