import type { DataNote } from './record.ts';
import type { RetentionPoint } from './retention.ts';
import type { SnapshotTrailers } from './snapshot-trailers.ts';

/** From commits with their trailers and notes to points of volume data: ten commits that share a snapshot are one point. */

export interface DataCommit extends SnapshotTrailers {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly tags: readonly string[];
  readonly note: DataNote | undefined;
}

/** The commit whose note says what became of this one's data: itself, or the one that covers it. Undefined where it is not among `commits`. */
export function coverOf(commit: DataCommit, commits: ReadonlyMap<string, DataCommit>): DataCommit | undefined {
  const seen = new Set<string>();
  let at: DataCommit | undefined = commit;
  while (at !== undefined) {
    // The note was written later than the trailer: it knows better. A circle is nobody's.
    const next: string | undefined = at.note?.coveredBy ?? at.coveredBy;
    if (next === undefined) return at;
    if (seen.has(at.id)) return undefined;
    seen.add(at.id);
    at = commits.get(next);
  }
  return undefined;
}

/** `pins`: what else needs the data of a commit, by its id. Points whose data is all gone are left out. */
export function retentionPoints(
  commits: readonly DataCommit[],
  pins: ReadonlyMap<string, readonly string[]> = new Map(),
): readonly RetentionPoint[] {
  const byId = new Map(commits.map((commit) => [commit.id, commit]));
  const members = new Map<string, DataCommit[]>();
  for (const commit of commits) {
    const id = coverOf(commit, byId)?.id;
    if (id === undefined) continue;
    const group = members.get(id);
    if (group === undefined) members.set(id, [commit]);
    else group.push(commit);
  }
  const points: RetentionPoint[] = [];
  for (const [id, group] of members) {
    const point = pointOf(byId.get(id) as DataCommit, group, pins);
    if (point !== undefined) points.push(point);
  }
  return points;
}

function pointOf(
  asked: DataCommit,
  group: readonly DataCommit[],
  pins: ReadonlyMap<string, readonly string[]>,
): RetentionPoint | undefined {
  const noted = new Map(Object.entries(asked.note?.claims ?? {}));
  const claims = [...new Set([...asked.snapshots.keys(), ...noted.keys()])].sort();
  // A snapshot without a word in the note was asked for when the process ended.
  const states = claims.map((claim) => noted.get(claim)?.state ?? 'pending');
  if (states.every((state) => state === 'pruned')) return undefined;
  const held = claims.filter((_, index) => states[index] === 'ready' || states[index] === 'pending');
  return {
    id: asked.id,
    time: asked.note?.askedAt === undefined ? asked.time : Date.parse(asked.note.askedAt),
    state: stateOf(states),
    tags: group.flatMap(({ tags }) => tags),
    claims,
    snapshots: new Map(
      held.map((claim) => [claim, noted.get(claim)?.volumeSnapshot ?? (asked.snapshots.get(claim) as string)]),
    ),
    pins: group.flatMap(({ id }) => pins.get(id) ?? []),
  };
}

/** Of the states of its claims, at least one. */
export function stateOf(states: readonly string[]): RetentionPoint['state'] {
  if (states.includes('pending')) return 'pending';
  const ready = states.filter((state) => state === 'ready').length;
  if (ready === states.length) return 'ready';
  return ready === 0 ? 'failed' : 'partial';
}
