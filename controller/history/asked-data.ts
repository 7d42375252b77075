import type { DataNote } from '../core/data/record.ts';
import { parseSnapshotTrailers } from '../core/data/snapshot-trailers.ts';
import { commitsBetween } from '../git/ancestry.ts';
import { parseTrailers } from '../git/commit-object.ts';
import { readDataNote } from '../git/data-note.ts';
import { NOTES } from '../git/notes.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Archive } from '../git/open-archive.ts';

/** What a commit says of the volume data that was asked for with it. */
export interface AskedData {
  readonly commit: ObjectId;
  /** VolumeSnapshots by claim, of its trailers; empty where only its note tells why nothing could be asked for. */
  readonly snapshots: ReadonlyMap<string, string>;
  readonly note: DataNote | undefined;
}

/**
 * The newest commit up to `to`, and after `from`, that asked for snapshots itself, or says why it could not; undefined where none did.
 * Throws REPOSITORY_HOSTILE and REPOSITORY_TOO_NEW for a note that cannot be used.
 */
export function askedBetween(archive: Archive, from: ObjectId | undefined, to: ObjectId): AskedData | undefined {
  const notes = archive.refs().get(NOTES);
  for (const { id, message } of commitsBetween(archive.store, from, to)) {
    const { snapshots, coveredBy } = parseSnapshotTrailers(parseTrailers(message));
    const note = readDataNote(archive.store, notes, id);
    const asked = { commit: id, snapshots: coveredBy === undefined ? snapshots : new Map(), note };
    if (asked.snapshots.size > 0 || note?.claims !== undefined) return asked;
    if (Object.keys(note?.skipped ?? {}).length > 0) return asked;
  }
  return undefined;
}
