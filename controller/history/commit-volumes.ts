import { renderDuration } from '../core/data/durations.ts';
import { gradeOf } from '../core/data/grade.ts';
import type { DataNote } from '../core/data/record.ts';
import { parseSnapshotTrailers } from '../core/data/snapshot-trailers.ts';
import { oneLine } from '../core/words.ts';
import { KeeperError } from '../errors.ts';
import { parseTrailers } from '../git/commit-object.ts';
import { type Commit, readCommit } from '../git/commit-queue.ts';
import { readDataNote } from '../git/data-note.ts';
import { NOTES } from '../git/notes.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Archive } from '../git/open-archive.ts';

/**
 * What volume data a commit has, in words: 'crash-consistent: 2 claims, cut within 1 s', 'data of 1a2b3c4d5e, 60 s older: ...', 'no volume
 * data (logs: no VolumeSnapshotClass for driver x)'. Undefined for one that says nothing of volumes.
 */
export function volumesReader(archive: Archive): (commit: Commit) => string | undefined {
  const notes = archive.refs().get(NOTES);
  return (commit) => {
    const { snapshots, coveredBy } = parseSnapshotTrailers(parseTrailers(commit.message));
    try {
      const note = readDataNote(archive.store, notes, commit.id);
      const cover = note?.coveredBy ?? coveredBy;
      if (cover !== undefined) return coverWords(archive, notes, { commit, cover });
      if (note !== undefined) return noteWords(note);
      if (snapshots.size === 0) return undefined;
      return notes === undefined
        ? 'its notes are not here (clone with --mirror), so nothing is known of its data'
        : 'pending: nothing is noted yet';
    } catch (error) {
      if (error instanceof KeeperError && UNREADABLE.has(error.code)) return 'its data note cannot be read';
      throw error;
    }
  };
}

const UNREADABLE: ReadonlySet<string> = new Set(['REPOSITORY_HOSTILE', 'REPOSITORY_TOO_NEW']);

function noteWords(note: DataNote): string | undefined {
  if (Object.keys(note.claims ?? {}).length > 0) return gradeOf(note).words;
  const impossible = Object.entries(note.skipped ?? {}).filter(([, { kind }]) => kind === 'impossible');
  if (impossible.length === 0) return undefined;
  return `no volume data (${impossible.map(([name, { why }]) => oneLine(`${name}: ${why}`)).join('; ')})`;
}

function coverWords(
  archive: Archive,
  notes: ObjectId | undefined,
  { commit, cover }: { readonly commit: Commit; readonly cover: ObjectId },
): string {
  const name = `data of ${cover.slice(0, 10)}`;
  if (!archive.store.has(cover)) return `${name}, which is not in this repository`;
  const note = readDataNote(archive.store, notes, cover);
  const asked =
    note?.askedAt === undefined ? readCommit(archive.store, cover).time.getTime() : Date.parse(note.askedAt);
  const age = renderDuration(Math.max(0, commit.time.getTime() - asked));
  return `${name}, ${age} older${note === undefined ? '' : `: ${noteWords(note) ?? 'nothing is there'}`}`;
}
