import assert from 'node:assert/strict';
import { test } from 'node:test';
import { log } from '../../controller/git/history.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest, Place } from './bare-repository.ts';

const DAY = 86_400;

async function ours(repository: Repository): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of log(repository)) ids.push(id);
  return ids;
}

test('a clock that jumps by a day, back or forth, leaves the history in order, for Git as for us', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const start = 1_700_000_000;
  const clock = [0, 10, DAY + 20, DAY + 30, 40, 50, -DAY, -DAY + 5, 60, 2 * DAY];
  const made: string[] = [];
  for (const [k, seconds] of clock.entries()) {
    repository.stage('a.json', manifest('a', k));
    const time = new Date((start + seconds) * 1000);
    made.unshift((await repository.commit({ message: `${k}`, author: AUTHOR, time }))?.id as string);
  }
  const expected = [0, 10, DAY + 20, DAY + 30, DAY + 30, DAY + 30, DAY + 30, DAY + 30, DAY + 30, 2 * DAY];
  const times = (format: string) =>
    place.lines('log', '--reverse', `--format=${format}`, 'main').map((each) => Number(each) - start);
  assert.deepEqual(times('%ct'), expected);
  assert.deepEqual(times('%at'), clock, "the author's time is what the clock said");
  assert.deepEqual(place.lines('log', '--format=%H', 'main'), made);
  assert.deepEqual(place.lines('log', '--date-order', '--format=%H', 'main'), made);
  assert.deepEqual(await ours(repository), made);
  const note = (seconds: number) =>
    repository.note(made[0] as string, `${seconds}\n`, { author: AUTHOR, time: new Date((start + seconds) * 1000) });
  for (const seconds of [0, DAY, -DAY, 5]) await note(seconds);
  assert.deepEqual(
    place.lines('log', '--format=%ct', 'refs/notes/data').map((each) => Number(each) - start),
    [DAY, DAY, DAY, 0],
  );
  place.fsck();
});

test('a merge follows all its parents, is no older than any, and is made even where no file differs', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const commit = async (name: string, seconds: number, mergeParents?: string[]) => {
    if (name !== '') repository.stage(`${name}.json`, name);
    const options = { message: name, author: AUTHOR, time: new Date(seconds * 1000) };
    const result = await repository.commit(mergeParents === undefined ? options : { ...options, mergeParents });
    return result?.id as string;
  };
  const first = await commit('first', 100);
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
  const theirs = place.git(...who, 'commit-tree', '-m', 'theirs', '-p', first, `${first}^{tree}`).trim();
  const theirTime = Number(place.git('show', '-s', '--format=%ct', theirs));
  const second = await commit('second', 200);
  const merge = await commit('', 300, [theirs]);
  assert.equal(place.git('show', '-s', '--format=%P', merge).trim(), `${second} ${theirs}`);
  assert.equal(place.git('rev-parse', `${merge}^{tree}`), place.git('rev-parse', `${second}^{tree}`));
  assert.equal(Number(place.git('show', '-s', '--format=%ct', merge)), theirTime);
  const next = await commit('third', 400, [first, theirs, theirs]);
  assert.equal(place.git('show', '-s', '--format=%P', next).trim(), `${merge} ${first} ${theirs}`);
  assert.equal(
    await repository.commit({ message: 'x', author: AUTHOR, time: new Date(0), mergeParents: [] }),
    undefined,
  );
  await assert.rejects(commit('fourth', 500, ['1'.repeat(40)]), { code: 'REQUEST_REFUSED' });
  assert.deepEqual([...repository.stagedPaths()], ['fourth.json']);
  assert.equal(repository.head, next);
  assert.deepEqual(await ours(repository), place.lines('log', '--format=%H', 'main'));
  place.fsck();
});
