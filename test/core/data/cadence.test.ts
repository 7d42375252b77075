import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Cadence,
  dataOfCommit,
  nextRunAt,
  type RunHistory,
  type SnapshotRun,
} from '../../../controller/core/data/cadence.ts';

const MINUTE = 60_000;
const cadence: Cadence = { minimumIntervalMs: 15 * MINUTE, maximumIntervalMs: undefined };
const claims = [{ name: 'data', uid: 'u1' }];

function run(askedAt: number, more: Partial<SnapshotRun> = {}): SnapshotRun {
  const snapshots = new Map([['data', { uid: 'u1', volumeSnapshot: `data-${askedAt}` }]]);
  return { commit: `c${askedAt}`, askedAt, state: 'ready', snapshots, ...more };
}

function after(last: SnapshotRun | undefined, more: Partial<RunHistory> = {}): RunHistory {
  return { last, usable: last?.state === 'failed' ? undefined : last, failures: 0, changedSince: false, ...more };
}

/** Commits and timers as a namespace has them; every run is ready `readyMs` later. */
function simulate(commits: readonly number[], until: number, rules = cadence, readyMs = 1000) {
  const runs: SnapshotRun[] = [];
  const named: (string | undefined)[] = [];
  let history = after(undefined);
  const ask = (now: number) => {
    runs.push(run(now, { state: 'pending' }));
    history = after(runs.at(-1));
  };
  for (let now = 0; now <= until; now += 1000) {
    const { last } = history;
    if (last?.state === 'pending' && now >= last.askedAt + readyMs) {
      const ready: SnapshotRun = { ...last, state: 'ready' };
      runs[runs.length - 1] = ready;
      history = { ...history, last: ready, usable: ready };
    }
    for (const _ of commits.filter((time) => time === now)) {
      const data = dataOfCommit(claims, history, rules, now);
      if (data.kind === 'ask') ask(now);
      else history = { ...history, changedSince: true };
      named.push(
        data.kind === 'covered' ? data.snapshots.get('data') : data.kind === 'ask' ? `data-${now}` : undefined,
      );
    }
    const due = nextRunAt(history, rules, now);
    if (due !== undefined && due <= now && history.last !== undefined) ask(now);
  }
  return { runs: runs.map(({ askedAt }) => askedAt), named };
}

test('ten commits in a minute make one snapshot, and all ten point at it', () => {
  const commits = Array.from({ length: 10 }, (_, index) => index * 6000);
  const { runs, named } = simulate(commits, 14 * MINUTE);
  assert.deepEqual(runs, [0]);
  assert.deepEqual(named, Array(10).fill('data-0'));
});

test('when the interval ends, what came in between is snapshotted although no further commit comes, and only once', () => {
  const { runs } = simulate([0, 6000, 12_000], 120 * MINUTE);
  assert.deepEqual(runs, [0, 15 * MINUTE]);
});

test('a single commit is snapshotted once, and nothing follows it', () => {
  assert.deepEqual(simulate([0], 120 * MINUTE).runs, [0]);
});

test('a commit after the interval is snapshotted at once', () => {
  assert.deepEqual(simulate([0, 20 * MINUTE], 60 * MINUTE).runs, [0, 20 * MINUTE]);
});

test('with a maximum interval snapshots go on although no object changes', () => {
  const hourly: Cadence = { ...cadence, maximumIntervalMs: 60 * MINUTE };
  assert.deepEqual(simulate([0], 130 * MINUTE, hourly).runs, [0, 60 * MINUTE, 120 * MINUTE]);
});

test('a driver slower than the interval is waited for, never overtaken', () => {
  const commits = Array.from({ length: 60 }, (_, index) => index * MINUTE);
  const { runs } = simulate(commits, 90 * MINUTE, cadence, 40 * MINUTE);
  assert.deepEqual(runs, [0, 40 * MINUTE, 80 * MINUTE]);
});

test('a failure is tried again after a minute, then two, then four, and never later than the interval', () => {
  const tries = [1, 2, 3, 4, 5, 40].map((failures) =>
    nextRunAt(after(run(0, { state: 'failed' }), { failures }), cadence, 1),
  );
  assert.deepEqual(
    tries.map((time) => (time as number) / MINUTE),
    [1, 2, 4, 8, 15, 15],
  );
});

test('while the newest failed, commits point at the newest that did not', () => {
  const history = after(run(100, { state: 'failed', snapshots: new Map() }), { usable: run(0), failures: 1 });
  const data = dataOfCommit(claims, history, cadence, 200);
  assert.equal(data.kind, 'covered');
  assert.equal(data.kind === 'covered' && data.commit, 'c0');
});

test('a claim that came or was made again after the snapshot is told, and never pointed at another volume', () => {
  const history = after(run(0));
  const now = [
    { name: 'data', uid: 'u2' },
    { name: 'logs', uid: 'u3' },
  ];
  const data = dataOfCommit(now, history, cadence, 1000);
  assert.deepEqual(data, {
    kind: 'nothing',
    uncovered: new Map([
      ['data', 'the claim was made again after the last snapshot'],
      ['logs', 'no snapshot of it was cut before this commit'],
    ]),
  });
});

test('a clock that was a year ahead once does not silence the snapshots', () => {
  const history = after(run(365 * 24 * 60 * MINUTE), { changedSince: true });
  assert.equal(dataOfCommit(claims, history, cadence, 1000).kind, 'ask');
  assert.equal(nextRunAt(history, cadence, 1000), 1000);
});

test('a namespace without claims asks for nothing', () => {
  assert.equal(dataOfCommit([], after(undefined), cadence, 0).kind, 'nothing');
});
