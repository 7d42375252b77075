import { gradeOf } from '../core/data/grade.ts';
import type { ClaimRecord, DataNote } from '../core/data/record.ts';
import { parseSnapshotTrailers, type SnapshotTrailers } from '../core/data/snapshot-trailers.ts';
import type { PointClaim, PointData } from '../core/restore/volume-plan.ts';
import { readCommit } from '../git/commit-queue.ts';
import { readDataNote } from '../git/data-note.ts';
import { NOTES } from '../git/notes.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Archive } from '../git/open-archive.ts';
import { trailersOf } from './facts.ts';

/** What volume data a restore point has: its commit's trailers, and the note of the commit that asked for the snapshots. */

interface Told {
  readonly id: ObjectId;
  readonly trailers: SnapshotTrailers;
  readonly note: DataNote | undefined;
}

/** Longer than any line of commits that cover each other: each points at the one that asked. */
const MOST_STEPS = 16;

/**
 * Anybody may have written notes: throws REPOSITORY_HOSTILE for one that no kubekeeper wrote and REPOSITORY_TOO_NEW for a later version's.
 */
export function readPointData(archive: Archive, commit: ObjectId): PointData {
  const notes = archive.refs().get(NOTES);
  const own = tell(archive, notes, commit);
  const asked = askedBy(archive, notes, own);
  const noted = new Map(Object.entries(asked?.note?.claims ?? {}));
  // The commit that asked for snapshots has all that its note has; one that it covers only those that it names.
  const names =
    own.trailers.snapshots.size > 0 && asked?.id !== commit
      ? [...own.trailers.snapshots.keys()]
      : [...new Set([...own.trailers.snapshots.keys(), ...noted.keys()])];
  const time = readCommit(archive.store, commit).time.getTime();
  const claims = names.sort().map((name): [string, PointClaim] => {
    const snapshot = own.trailers.snapshots.get(name);
    const record = matching(noted.get(name), snapshot);
    return [name, { snapshot: snapshot ?? record?.volumeSnapshot ?? '', record, ...agesOf(record, time) }];
  });
  return {
    hasNotes: notes !== undefined,
    asked: asked?.id,
    grade: asked?.note === undefined ? undefined : gradeOf(asked.note).words,
    claims: new Map(claims),
    skipped: new Map(Object.entries(asked?.note?.skipped ?? {})),
  };
}

function tell(archive: Archive, notes: ObjectId | undefined, id: ObjectId): Told {
  const { message } = readCommit(archive.store, id);
  const trailers = parseSnapshotTrailers(trailersOf(archive, id, message));
  return { id, trailers, note: readDataNote(archive.store, notes, id) };
}

/** Undefined: nobody can say which, since it is not in this repository or they name each other in a circle. */
function askedBy(archive: Archive, notes: ObjectId | undefined, own: Told): Told | undefined {
  let at = own;
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    // The note was written later than the trailer: it knows better.
    const next = at.note?.coveredBy ?? at.trailers.coveredBy;
    if (next === undefined) return at;
    if (!archive.store.has(next) || archive.store.read(next).type !== 'commit') return undefined;
    at = tell(archive, notes, next);
  }
  return undefined;
}

/** A later snapshot of the same claim never stands for the one that the commit names. */
function matching(record: ClaimRecord | undefined, snapshot: string | undefined): ClaimRecord | undefined {
  return snapshot === undefined || record?.volumeSnapshot === snapshot ? record : undefined;
}

function agesOf(record: ClaimRecord | undefined, time: number): Pick<PointClaim, 'cutAt' | 'ageMs'> {
  const cutAt = record?.creationTime ?? record?.askedAt;
  return cutAt === undefined ? { cutAt: undefined, ageMs: undefined } : { cutAt, ageMs: time - Date.parse(cutAt) };
}
