import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverOf, type DataCommit, retentionPoints } from '../../../controller/core/data/points.ts';
import type { ClaimRecord } from '../../../controller/core/data/record.ts';
import { planRetention } from '../../../controller/core/data/retention.ts';
import { KEEP_ALL } from '../../../controller/core/data/retention-policy.ts';
import { runHistoryOf } from '../../../controller/core/data/run-history.ts';

const id = (letter: string) => letter.repeat(40);
const HOUR = 3_600_000;

function commit(letter: string, hour: number, more: Partial<DataCommit> = {}): DataCommit {
  return {
    id: id(letter),
    time: hour * HOUR,
    tags: [],
    snapshots: new Map(),
    coveredBy: undefined,
    note: undefined,
    ...more,
  };
}

function claim(volumeSnapshot: string, state: ClaimRecord['state'] = 'ready'): ClaimRecord {
  const askedAt = '1970-01-01T00:00:00Z';
  return { uid: 'u', volumeSnapshot, driver: 'd', class: 'c', state, askedAt };
}

/** A commit that asked for snapshots itself. */
function asked(
  letter: string,
  hour: number,
  states: Readonly<Record<string, ClaimRecord['state']>>,
  tags: string[] = [],
) {
  const names = Object.keys(states).map((name) => [name, `${name}-${letter}`] as const);
  const claims = Object.fromEntries(names.map(([name, snapshot]) => [name, claim(snapshot, states[name])]));
  return commit(letter, hour, { tags, snapshots: new Map(names), note: { version: 1, claims } });
}

function covered(letter: string, hour: number, by: string, tags: string[] = []): DataCommit {
  return commit(letter, hour, { tags, snapshots: new Map([['data', `data-${by}`]]), coveredBy: id(by) });
}

test('commits that share a snapshot are one point with the tags of all', () => {
  const commits = [asked('a', 1, { data: 'ready' }), covered('b', 2, 'a', ['good/monday']), covered('c', 3, 'a')];
  const [point, ...rest] = retentionPoints(commits);
  assert.equal(rest.length, 0);
  assert.deepEqual([point?.id, point?.time, point?.tags], [id('a'), HOUR, ['good/monday']]);
});

test('a snapshot stays while one of ten commits that share it has a tag', () => {
  const shared = [
    asked('a', 1, { data: 'ready' }),
    ...'123456789'.split('').map((name) => covered(name, 2, 'a', name === '7' ? ['good/x'] : [])),
  ];
  const later = [asked('b', 5, { data: 'ready' }), asked('c', 6, { data: 'ready' })];
  const policy = { ...KEEP_ALL, keep: { ...KEEP_ALL.keep, Last: 1 } };
  const plan = planRetention(retentionPoints([...shared, ...later]), policy, 10 * HOUR);
  assert.deepEqual(plan.prune, ['data-b']);
  assert.deepEqual(plan.verdicts.at(-1)?.reasons, ['tag good/x']);
});

test('the state of a point follows from its claims, and one without a word in the note is not decided', () => {
  const states = [
    asked('a', 1, { data: 'ready', logs: 'ready' }),
    asked('b', 2, { data: 'ready', logs: 'failed' }),
    asked('c', 3, { data: 'failed', logs: 'failed' }),
    asked('d', 4, { data: 'ready', logs: 'pending' }),
    commit('e', 5, { snapshots: new Map([['data', 'data-e']]) }),
  ];
  const points = retentionPoints(states);
  assert.deepEqual(
    points.map(({ state }) => state),
    ['ready', 'partial', 'failed', 'pending', 'pending'],
  );
  assert.deepEqual([...(points[1]?.snapshots ?? [])], [['data', 'data-b']]);
  assert.deepEqual(points[1]?.claims, ['data', 'logs']);
  assert.deepEqual([...(points[3]?.snapshots.keys() ?? [])], ['data', 'logs'], 'what still may be is there');
});

test('what is pruned already is no point, nor is a commit without data', () => {
  assert.deepEqual(retentionPoints([asked('a', 1, { data: 'pruned' }), commit('b', 2), covered('c', 3, 'a')]), []);
});

test('a cover is followed to the commit that asked, and a circle to nobody', () => {
  const commits = [
    asked('a', 1, { data: 'ready' }),
    covered('b', 2, 'a'),
    covered('c', 3, 'b'),
    covered('d', 4, 'e'),
    covered('e', 5, 'd'),
  ];
  const byId = new Map(commits.map((one) => [one.id, one]));
  const cover = (letter: string) => coverOf(byId.get(id(letter)) as DataCommit, byId)?.id;
  assert.deepEqual([cover('a'), cover('c'), cover('d')], [id('a'), id('a'), undefined]);
  assert.equal(retentionPoints(commits).length, 1);
});

test('a note knows better than a trailer whose snapshots count', () => {
  const moved: DataCommit = { ...covered('c', 3, 'b'), note: { version: 1, coveredBy: id('a') } };
  const commits = [asked('a', 1, { data: 'ready' }), asked('b', 2, { data: 'failed' }), moved];
  assert.equal(coverOf(moved, new Map(commits.map((one) => [one.id, one])))?.id, id('a'));
});

test('what needs a commit keeps the data that covers it', () => {
  const commits = [asked('a', 1, { data: 'ready' }), covered('b', 2, 'a')];
  const [point] = retentionPoints(commits, new Map([[id('b'), ['a restore uses it']]]));
  assert.deepEqual(point?.pins, ['a restore uses it']);
});

test('after a restart Git tells when the next snapshots are due', () => {
  const noted = { version: 1 as const, askedAt: '1970-01-01T05:00:00Z' };
  const run = asked('a', 5, { data: 'ready' });
  const newestFirst = [covered('c', 7, 'a'), covered('b', 6, 'a'), { ...run, note: { ...run.note, ...noted } }];
  const history = runHistoryOf(newestFirst);
  assert.deepEqual([history.last?.askedAt, history.changedSince, history.failures], [5 * HOUR, true, 0]);
  assert.equal(history.usable, history.last);
  assert.equal(runHistoryOf(newestFirst.slice(2)).changedSince, false);
});

test('of failed, pruned and unfinished snapshots after a restart none covers a commit', () => {
  const commits = [
    asked('f', 6, { data: 'failed' }),
    asked('e', 5, { data: 'failed' }),
    asked('d', 4, { data: 'pruned' }),
    asked('c', 3, { data: 'ready' }),
  ];
  const history = runHistoryOf(commits);
  assert.deepEqual([history.last?.state, history.failures, history.usable?.commit], ['failed', 2, id('c')]);
  const cutShort = runHistoryOf([commit('g', 7, { snapshots: new Map([['data', 'x']]) }), ...commits]);
  assert.deepEqual([cutShort.last?.state, cutShort.usable?.commit], ['pending', id('c')]);
  assert.deepEqual(runHistoryOf([]), { last: undefined, usable: undefined, failures: 0, changedSince: false });
});
