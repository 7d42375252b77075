import { failed } from '../core/data/observe.ts';
import type { DataCommit } from '../core/data/points.ts';
import type { ClaimRecord } from '../core/data/record.ts';
import { runOfName } from '../core/data/snapshot-names.ts';
import { requestedBy } from '../core/data/snapshot-objects.ts';
import type { KubeObject } from '../core/object.ts';
import { isUnreadable } from './read-history.ts';
import { Run } from './run.ts';

/** Runs that an earlier process left undecided, rebuilt from commits, notes and what lives. */

/** `live`: our VolumeSnapshots and VolumeGroupSnapshots of the namespace by name. */
export function unfinishedRuns(
  repository: string,
  commits: readonly DataCommit[],
  live: ReadonlyMap<string, KubeObject>,
): readonly Run[] {
  return commits.filter(isUnfinished).map((commit) => rebuild(repository, commit, live));
}

function isUnfinished(commit: DataCommit): boolean {
  if ((commit.note?.coveredBy ?? commit.coveredBy) !== undefined || isUnreadable(commit.note)) return false;
  const records = commit.note?.claims ?? {};
  const isPending = Object.values(records).some(({ state }) => state === 'pending');
  return isPending || [...commit.snapshots.keys()].some((claim) => !Object.hasOwn(records, claim));
}

function rebuild(repository: string, commit: DataCommit, live: ReadonlyMap<string, KubeObject>): Run {
  const noted = new Map(Object.entries(commit.note?.claims ?? {}));
  const records = new Map(noted);
  for (const [claim, volumeSnapshot] of commit.snapshots) {
    if (!noted.has(claim)) records.set(claim, recordOf(commit, claim, volumeSnapshot, live.get(volumeSnapshot)));
  }
  const [first] = records.values();
  const run = new Run({
    repository,
    id: runOfName(first?.volumeSnapshot ?? '') ?? 'unknown',
    askedAt: commit.note?.askedAt === undefined ? askedAtOf(records, commit) : Date.parse(commit.note.askedAt),
    records: new Map([...records].sort(([left], [right]) => (left < right ? -1 : 1))),
    note: commit.note ?? { version: 1 },
    unasked: [],
  });
  run.commit = commit.id;
  return run;
}

/** The commit was made right before the process ended. */
function recordOf(
  commit: DataCommit,
  claim: string,
  volumeSnapshot: string,
  live: KubeObject | undefined,
): ClaimRecord {
  const requested = live === undefined ? undefined : requestedBy(live)[claim];
  if (requested !== undefined && requested.volumeSnapshot === volumeSnapshot) {
    const { handle: _handle, content: _content, groupHandle: _group, ...rest } = requested;
    return { ...rest, state: 'pending' };
  }
  const unknown: ClaimRecord = {
    ...{ uid: 'unknown', driver: 'unknown', class: 'unknown', volumeSnapshot, state: 'pending' },
    askedAt: new Date(commit.time).toISOString(),
  };
  return failed(
    unknown,
    live === undefined ? 'the controller ended before it was asked for' : 'what was asked for is not known any more',
  );
}

function askedAtOf(records: ReadonlyMap<string, ClaimRecord>, { time }: DataCommit): number {
  const times = [...records.values()].map(({ askedAt }) => Date.parse(askedAt));
  return times.length === 0 ? time : Math.min(...times);
}
