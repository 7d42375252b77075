import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffTrees, treeAt } from '../../controller/git/compare-trees.ts';
import { log } from '../../controller/git/history.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { resolve } from '../../controller/git/revision.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

async function writeHistory(repository: Repository, commits: number): Promise<void> {
  const now = clock();
  for (let k = 0; k < commits; k++) {
    const path = `x/${k % 7}.json`;
    if (k % 11 === 10) repository.stageDeletion('y/a b.json');
    else if (k % 5 === 4) repository.stage('y/a b.json', manifest('y', k));
    if (k % 11 !== 10 && k % 5 !== 4) repository.stage(path, manifest(path, k));
    await repository.commit({
      message: `change ${k}\n\nbody\n\nActor: someone (audit)\nResource-Version: ${k}\n`,
      author: AUTHOR,
      time: now(),
    });
  }
}

async function ids(entries: AsyncIterable<{ readonly id: string }>): Promise<string[]> {
  return (await Array.fromAsync(entries)).map(({ id }) => id);
}

test('the log is that of Git: all, of a file, of a directory, from a commit on, limited', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await writeHistory(repository, 80);
  for (const round of ['windows', 'consolidated']) {
    assert.deepEqual(await ids(log(repository)), place.lines('rev-list', 'main'), round);
    assert.deepEqual(await ids(log(repository, { limit: 7 })), place.lines('rev-list', '-7', 'main'));
    const from = place.git('rev-parse', 'main~30').trim();
    for (const path of ['x/3.json', 'x', 'y/a b.json', 'y/', 'x/none.json', 'none/a.json', 'x/3.json/deeper']) {
      assert.deepEqual(await ids(log(repository, { path })), place.lines('rev-list', 'main', '--', path), path);
      assert.deepEqual(
        await ids(log(repository, { path, from, limit: 2 })),
        place.lines('rev-list', '-2', from, '--', path),
        path,
      );
    }
    await repository.consolidate({ full: true });
  }
});

test('a log entry says who, when and why', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await writeHistory(repository, 2);
  const [entry] = await Array.fromAsync(log(repository, { limit: 1 }));
  assert.equal(entry?.message, 'change 1\n\nbody\n\nActor: someone (audit)\nResource-Version: 1\n');
  assert.deepEqual(entry?.trailers, [
    { key: 'Actor', value: 'someone (audit)' },
    { key: 'Resource-Version', value: '1' },
  ]);
  assert.deepEqual(entry?.author, AUTHOR);
  assert.deepEqual(entry?.time, new Date(1_700_000_001_000));
  assert.deepEqual(entry?.parents, [place.git('rev-parse', 'main~').trim()]);
});

test('merges are followed as Git follows them', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await writeHistory(repository, 10);
  const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
  const side = place.git(...identity, 'commit-tree', '-m', 'side', '-p', 'main~4', 'main~2^{tree}').trim();
  const merge = place.git(...identity, 'commit-tree', '-m', 'merge', '-p', 'main', '-p', side, 'main^{tree}').trim();
  place.git('update-ref', 'refs/heads/main', merge);
  await repository.reload();
  assert.deepEqual((await ids(log(repository))).sort(), place.lines('rev-list', 'main').sort());
  for (const path of ['x/1.json', 'x', 'y'])
    assert.deepEqual(await ids(log(repository, { path })), place.lines('rev-list', 'main', '--', path), path);
});

test('two commits differ by exactly the files that Git names', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await writeHistory(repository, 40);
  for (const [a, b] of [
    ['main~20', 'main'],
    ['main', 'main~39'],
    ['main~3', 'main~2'],
    ['main', 'main'],
  ] as const) {
    const found = await diffTrees(repository, resolve(repository, a), resolve(repository, b));
    const expected = place.git('diff-tree', '-r', '-z', '--no-renames', a, b).split('\0').slice(0, -1);
    const lines = found.flatMap(({ path, before, after }) => [
      `${before ?? '0'.repeat(40)} ${after ?? '0'.repeat(40)}`,
      path,
    ]);
    assert.deepEqual(
      lines,
      expected.map((line) => line.replace(/^:\d+ \d+ (\w+ \w+) \w$/, '$1')),
      `${a} ${b}`,
    );
  }
  const tree = treeAt(repository, resolve(repository, 'main~20'));
  assert.deepEqual(new Map([...tree.files()].map(({ path, id }) => [path, id])), place.tree('main~20'));
  assert.equal(tree.fileId('x/3.json'), place.tree('main~20').get('x/3.json'));
  assert.equal(tree.fileCount, place.tree('main~20').size);
});

test('a commit is found by branch, tag, ref, full and short id, and steps back; anything else is refused in words', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  assert.throws(() => resolve(repository, 'HEAD'), /nothing was committed yet/);
  await writeHistory(repository, 12);
  place.git('-c', 'user.name=x', '-c', 'user.email=x@example.com', 'tag', '-a', '-m', 'good', 'good/friday', 'main~3');
  place.git('tag', 'light', 'main~4');
  const full = place.git('rev-parse', 'main~5').trim();
  for (const revision of [
    'HEAD',
    'main',
    'good/friday',
    'light',
    'refs/tags/good/friday',
    'refs/heads/main',
    full,
    full.slice(0, 12),
    'main~3',
    'main^^~2',
    'good/friday~1',
  ]) {
    assert.equal(resolve(repository, revision), place.git('rev-parse', `${revision}^{commit}`).trim(), revision);
  }
  for (const revision of [
    'none',
    '',
    'main~12',
    '../config',
    'refs/../config',
    'f'.repeat(40),
    '0000',
    place.git('rev-parse', 'main^{tree}').trim(),
  ]) {
    assert.throws(() => resolve(repository, revision), { code: 'USAGE_INVALID' }, revision);
  }
});
