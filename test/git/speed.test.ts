import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

const FILES = 10_000;
const now = clock();

test('one change among ten thousand files is committed at least four times as fast as by git add and git commit', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const work = join(place.root, 'work');
  mkdirSync(join(work, 'deployments.apps'), { recursive: true });
  for (let i = 0; i < FILES; i++) {
    const text = manifest(`web-${i}`, 0);
    repository.stage(`deployments.apps/web-${i}.json`, text);
    writeFileSync(join(work, 'deployments.apps', `web-${i}.json`), text);
  }
  await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  const git = (...args: string[]) =>
    execFileSync('git', [
      '-C',
      work,
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@example.com',
      '-c',
      'gc.auto=0',
      ...args,
    ]);
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let k = 1; k <= 9; k++) {
    const path = `deployments.apps/web-${k * 997}.json`;
    ours.push(await timeCommit(repository, path, k));
    const start = performance.now();
    writeFileSync(join(work, path), manifest(path, k));
    git('add', path);
    git('commit', '--quiet', '-m', `${k}`);
    theirs.push(performance.now() - start);
  }
  const said = `${median(ours).toFixed(1)} ms against ${median(theirs).toFixed(1)} ms`;
  assert.ok(median(ours) * 4 < median(theirs), said);
});

test('a commit costs the same beside a large directory as without one', async () => {
  using small = new Place();
  using large = new Place();
  await using few = await openRepository(small.directory);
  await using many = await openRepository(large.directory);
  for (let i = 0; i < 100; i++)
    for (const repository of [few, many]) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
  for (let i = 0; i < 2 * FILES; i++) many.stage(`events/e-${i}.json`, `${i}\n`);
  for (const repository of [few, many]) await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  const times = { few: [] as number[], many: [] as number[] };
  for (let k = 1; k <= 25; k++) {
    times.few.push(await timeCommit(few, `configmaps/c-${k}.json`, k));
    times.many.push(await timeCommit(many, `configmaps/c-${k}.json`, k));
  }
  assert.ok(median(times.many) < 2 * median(times.few) + 1, `${median(times.many)} ms against ${median(times.few)} ms`);
});

test('a repository of ten thousand files is open within a tenth of a second', async () => {
  using place = new Place();
  {
    await using repository = await openRepository(place.directory);
    for (let i = 0; i < FILES; i++) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
    await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  }
  const took: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    await using repository = await openRepository(place.directory);
    took.push(performance.now() - start);
    assert.equal(repository.fileCount, FILES);
  }
  // Beside other tests one opening may wait for them.
  assert.ok(Math.min(...took) < 100, `${took.map(Math.round)} ms`);
});

async function timeCommit(repository: Repository, path: string, version: number): Promise<number> {
  const start = performance.now();
  repository.stage(path, manifest(path, version));
  await repository.commit({ message: `${version}`, author: AUTHOR, time: now() });
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
