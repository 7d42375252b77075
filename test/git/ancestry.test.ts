import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commitsBetween, isAncestor } from '../../controller/git/ancestry.ts';
import { log } from '../../controller/git/history.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

/** Each commit with its parents (how far back) and its time; times of one second and clocks that went back are likely. */
const graph = fc.array(
  fc.record({ parents: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), seconds: fc.nat(8) }),
  { minLength: 4, maxLength: 14 },
);

test('who led to whom, and what lies between, is what Git says, in its order, whatever the graph and the clocks', async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.boolean(), async (commits, isSkewed) => {
      using place = new Place();
      await using repository = await openRepository(place.directory);
      const ids = build(place, commits, isSkewed);
      for (const a of ids) {
        const before = new Set(place.lines('rev-list', a));
        for (const b of ids) assert.equal(isAncestor(repository.store, b, a), before.has(b), `${b} of ${a}`);
      }
      for (const a of ids.slice(-4)) {
        const all = [...commitsBetween(repository.store, undefined, a)].map(({ id }) => id);
        assert.deepEqual(all, place.lines('rev-list', a));
        const ours: string[] = [];
        for await (const { id } of log(repository, { from: a })) ours.push(id);
        assert.deepEqual(ours, place.lines('log', '--format=%H', a));
        for (const b of ids) {
          const between = [...commitsBetween(repository.store, b, a)].map(({ id }) => id);
          const theirs = place.lines('rev-list', a, `^${b}`);
          if (isSkewed) assert.deepEqual(between.sort(), theirs.sort());
          else assert.deepEqual(between, theirs);
        }
      }
    }),
    { numRuns: 12 },
  );
});

/** Loose objects in one go: `git fast-import` keeps times and parents as they are given. */
function build(
  place: Place,
  commits: readonly { parents: readonly number[]; seconds: number }[],
  isSkewed: boolean,
): string[] {
  const lines: string[] = [];
  const times: number[] = [];
  for (const [k, { parents, seconds }] of commits.entries()) {
    const own = parents.map((back) => k - back).filter((each) => each >= 0);
    const earliest = isSkewed ? 0 : Math.max(0, ...own.map((each) => times[each] as number));
    times.push(isSkewed ? seconds : earliest + (seconds % 2));
    lines.push(
      `commit refs/heads/c${k}`,
      `mark :${k + 1}`,
      `committer x <x@example.com> ${1000 + (times[k] as number)} +0000`,
    );
    lines.push(`data ${`${k}`.length}`, `${k}`);
    const [first, ...others] = own;
    if (first !== undefined) lines.push(`from :${first + 1}`);
    for (const other of others) lines.push(`merge :${other + 1}`);
    lines.push('');
  }
  place.gitInput(`${lines.join('\n')}\n`, 'fast-import', '--quiet', '--force');
  return commits.map((_, k) => place.git('rev-parse', `refs/heads/c${k}`).trim());
}

test('only what is newer than where two histories part is read', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  const ids: string[] = [];
  for (let k = 0; k < 200; k++) {
    repository.stage('a.json', manifest('a', k));
    ids.push((await repository.commit({ message: `${k}`, author: AUTHOR, time: now() }))?.id as string);
  }
  const side = place
    .git(
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@x',
      'commit-tree',
      '-m',
      'side',
      '-p',
      ids[190] as string,
      'main^{tree}',
    )
    .trim();
  const reads = countReads(repository.store);
  assert.equal(isAncestor(repository.store, ids[195] as string, ids[199] as string), true);
  assert.equal(isAncestor(repository.store, side, ids[199] as string), false);
  assert.equal([...commitsBetween(repository.store, ids[198], ids[199] as string)].length, 1);
  assert.equal(isAncestor(repository.store, '1'.repeat(40), ids[199] as string), false);
  assert.ok(reads() < 60, `${reads()} commits were read`);
  assert.equal([...commitsBetween(repository.store, '1'.repeat(40), ids[199] as string)].length, 200);
});

function countReads(store: { readAs: (...args: never[]) => Buffer }): () => number {
  const { readAs } = store;
  let count = 0;
  store.readAs = function counted(this: unknown, ...args: never[]): Buffer {
    count += 1;
    return readAs.apply(this, args);
  };
  return () => count;
}
