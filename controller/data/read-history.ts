import type { DataCommit } from '../core/data/points.ts';
import { type DataNote, parseNote } from '../core/data/record.ts';
import { parseSnapshotTrailers } from '../core/data/snapshot-trailers.ts';
import { KeeperError } from '../errors.ts';
import { type HistorySource, log } from '../git/history.ts';
import { listNotes } from '../git/list-notes.ts';
import { NOTES } from '../git/notes.ts';
import type { ObjectId } from '../git/object-id.ts';
import { peelTags } from '../git/read-tag.ts';

/** What Git says of volume data: commits with their trailers, notes and tags. */

/** A `Repository` or an `Archive`. */
export interface DataHistorySource extends HistorySource {
  readonly directory: string;
  refs(): ReadonlyMap<string, ObjectId>;
}

export interface ReadOptions {
  /** So many commits at most; all when left out. */
  readonly limit?: number;
  /** Nothing after this one is read. */
  readonly until?: (commit: DataCommit) => boolean;
  /** A note that no kubekeeper wrote, or a later one; it is read as if nothing were known. Thrown when left out. */
  readonly onOdd?: (error: KeeperError) => void;
}

/** Newest first. Throws REPOSITORY_HOSTILE, REPOSITORY_TOO_NEW and REPOSITORY_DAMAGED. */
export async function readDataCommits(
  source: DataHistorySource,
  { limit, until, onOdd }: ReadOptions = {},
): Promise<DataCommit[]> {
  const refs = source.refs();
  const notes = listNotes(source.store, refs.get(NOTES));
  const tags = tagsOf(source);
  const commits: DataCommit[] = [];
  for await (const { id, time, trailers } of log(source, limit === undefined ? {} : { limit })) {
    const { snapshots, coveredBy } = parseSnapshotTrailers(trailers);
    const blob = notes.get(id);
    const note = blob === undefined ? undefined : readNote(source, id, blob, snapshots, onOdd);
    const commit = { id, time: time.getTime(), tags: tags.get(id) ?? [], snapshots, coveredBy, note };
    commits.push(commit);
    if (until?.(commit) === true) break;
  }
  return commits;
}

/** Every VolumeSnapshot that a note names; undefined where one cannot be read. Quicker than all commits. */
export function notedSnapshots(source: DataHistorySource): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const [commit, blob] of listNotes(source.store, source.refs().get(NOTES))) {
    const note = readNoteAt(source, commit, blob);
    if (isUnreadable(note)) return undefined;
    for (const { volumeSnapshot } of Object.values(note.claims ?? {})) names.add(volumeSnapshot);
  }
  return names;
}

/** Where nothing was ever noted, only what a kill left without its first note can be there, and that is new. */
export function newest(source: DataHistorySource, limit: number): number {
  return source.refs().has(NOTES) ? limit : Math.min(limit, UNNOTED);
}

const UNNOTED = 50;

/** Names by commit; those that lead to what is damaged are nobody's. */
export function tagsOf(source: DataHistorySource): ReadonlyMap<ObjectId, readonly string[]> {
  const { store, head, directory } = source;
  return peelTags({ store, head, directory, refs: () => source.refs(), [Symbol.dispose]: () => undefined }).byTarget;
}

/** One that cannot be read stands for nothing known. Throws REPOSITORY_DAMAGED. */
export function readNoteAt(
  source: DataHistorySource,
  commit: ObjectId,
  blob: ObjectId,
  onOdd: (error: KeeperError) => void = () => undefined,
): DataNote {
  return readNote(source, commit, blob, new Map(), onOdd);
}

function readNote(
  { store }: DataHistorySource,
  commit: ObjectId,
  blob: ObjectId,
  snapshots: ReadonlyMap<string, string>,
  onOdd: ReadOptions['onOdd'],
): DataNote {
  try {
    return parseNote(store.readAs('blob', blob).toString('utf8'), commit);
  } catch (error) {
    if (!(error instanceof KeeperError) || onOdd === undefined || !ODD.has(error.code)) throw error;
    onOdd(error);
    return unreadable(snapshots);
  }
}

const ODD: ReadonlySet<string> = new Set(['REPOSITORY_HOSTILE', 'REPOSITORY_TOO_NEW']);
/** Neither waited for nor pruned nor pointed at: somebody has to look. Never written. */
function unreadable(snapshots: ReadonlyMap<string, string>): DataNote {
  const [nobody, why] = ['unknown', 'its note cannot be read'];
  const record = { uid: nobody, driver: nobody, class: nobody, askedAt: '1970-01-01T00:00:00Z', why } as const;
  const claims = [...snapshots].map(
    ([claim, volumeSnapshot]) => [claim, { ...record, volumeSnapshot, state: 'failed' as const }] as const,
  );
  const note: DataNote = { version: 1, claims: Object.fromEntries(claims) };
  UNREADABLE.add(note);
  return note;
}

const UNREADABLE = new WeakSet<DataNote>();

/** It stands for a note that could not be read: what that is about is left alone. */
export function isUnreadable(note: DataNote | undefined): boolean {
  return note !== undefined && UNREADABLE.has(note);
}
