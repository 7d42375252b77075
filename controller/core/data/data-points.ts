import { type ClaimData, claimsOfNote } from './claim-data.ts';
import { type Graded, gradeOf } from './grade.ts';
import { coverOf, type DataCommit } from './points.ts';

/** Volume data that was asked for at one moment, with all commits that point at it: what people look at. */
export interface DataPoint {
  /** The commit that asked. */
  readonly commit: string;
  /** When, in milliseconds since 1970. */
  readonly askedAt: number;
  readonly graded: Graded;
  readonly claims: readonly ClaimData[];
  /** Newest first, itself among them. */
  readonly commits: readonly string[];
  /** Of all those commits. */
  readonly tags: readonly string[];
  /** Everything of it was there and is gone by the policy. */
  readonly isPruned: boolean;
}

/** `commits` of one repository, newest first. Newest first; commits without any data are nowhere. */
export function dataPoints(commits: readonly DataCommit[]): readonly DataPoint[] {
  const byId = new Map(commits.map((commit) => [commit.id, commit]));
  const members = Map.groupBy(commits, (commit) => coverOf(commit, byId)?.id);
  const points: DataPoint[] = [];
  for (const [id, group] of members) {
    const asked = id === undefined ? undefined : byId.get(id);
    const point = asked === undefined ? undefined : pointOf(asked, group);
    if (point !== undefined) points.push(point);
  }
  return points.sort((one, other) => other.askedAt - one.askedAt);
}

function pointOf(asked: DataCommit, group: readonly DataCommit[]): DataPoint | undefined {
  const { id, note, snapshots, time } = asked;
  const claims = claimsOfNote(note, snapshots);
  if (claims.length === 0) return undefined;
  return {
    commit: id,
    askedAt: note?.askedAt === undefined ? time : Date.parse(note.askedAt),
    graded: gradedOf(asked),
    claims,
    commits: group.map((commit) => commit.id),
    tags: group.flatMap(({ tags }) => tags),
    isPruned: claims.some(({ state }) => state === 'pruned') && claims.every(({ state }) => GONE.has(state)),
  };
}

const GONE: ReadonlySet<string> = new Set(['pruned', 'excluded', 'impossible']);

/** A commit without a note was made right before a process ended, or its notes were not cloned. */
function gradedOf({ note, snapshots }: DataCommit): Graded {
  if (note !== undefined) return gradeOf(note);
  const names = [...snapshots.keys()].join(', ');
  return { grade: 'pending', spreadMs: undefined, words: `pending: nothing is noted of ${names}` };
}
