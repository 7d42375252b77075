import type { RunHistory, SnapshotRun } from './cadence.ts';
import { type DataCommit, stateOf } from './points.ts';

/** What Git says of the snapshots until now: a restart, or another replica that leads, goes on with the same intervals. */

/** `commits` of one repository, newest first, as far back as the newest one whose snapshots did not fail. */
export function runHistoryOf(commits: readonly DataCommit[]): RunHistory {
  const runs = commits.map(runOf);
  const asked = runs.filter((run) => run !== undefined);
  const [last] = asked;
  const succeeded = asked.findIndex(({ state }) => state !== 'failed');
  return {
    last,
    usable: asked.find(({ state, snapshots }) => state !== 'failed' && snapshots.size > 0),
    failures: succeeded === -1 ? asked.length : succeeded,
    changedSince: last === undefined ? commits.length > 0 : runs.indexOf(last) > 0,
  };
}

/** Undefined for a commit that asked for no snapshots itself. */
function runOf(commit: DataCommit): SnapshotRun | undefined {
  const noted = new Map(Object.entries(commit.note?.claims ?? {}));
  const claims = [...new Set([...commit.snapshots.keys(), ...noted.keys()])];
  if (claims.length === 0 || (commit.note?.coveredBy ?? commit.coveredBy) !== undefined) return undefined;
  const states = claims.map((claim) => noted.get(claim)?.state ?? 'pending');
  const usable = [...noted].filter(([, { state }]) => state === 'ready' || state === 'pending');
  return {
    commit: commit.id,
    askedAt: commit.note?.askedAt === undefined ? commit.time : Date.parse(commit.note.askedAt),
    // What is pruned by now went well then.
    state: stateOf(states.map((state) => (state === 'pruned' ? 'ready' : state))),
    snapshots: new Map(usable.map(([name, { uid, volumeSnapshot }]) => [name, { uid, volumeSnapshot }])),
  };
}
