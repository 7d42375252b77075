import type { DataCommit } from '../core/data/points.ts';
import type { DataNote } from '../core/data/record.ts';
import { parseSnapshotTrailers } from '../core/data/snapshot-trailers.ts';
import { log } from '../git/history.ts';
import { listNotes } from '../git/list-notes.ts';
import { NOTES } from '../git/notes.ts';
import type { ObjectId } from '../git/object-id.ts';
import { type DataHistorySource, readNoteAt, tagsOf } from './read-history.ts';

/**
 * The commits that retention has to know of: back to the oldest whose data is still there. Asked after every run, and a history may be long:
 * only what came since the last time is read.
 */

/** A commit without a note, whose process was killed, is one of the newest. */
const AT_LEAST = 50;

export class PruneIndex {
  #source: DataHistorySource | undefined;
  #head: ObjectId | undefined;
  /** Newest first; notes and tags are those of their time. */
  #commits: readonly DataCommit[] = [];
  /** Blobs of notes whose data is all gone. */
  #gone = new Set<ObjectId>();

  /** Newest first. A note that cannot be read is as if nothing were known. Throws KeeperError. */
  async read(source: DataHistorySource): Promise<readonly DataCommit[]> {
    if (this.#source !== source) {
      this.#source = source;
      this.#head = undefined;
      this.#commits = [];
      this.#gone = new Set();
    }
    const { head } = source;
    const { notes, gone } = this.#readNotes(source);
    const commits = await this.#readCommits(source, notes);
    const tags = tagsOf(source);
    this.#commits = commits
      .map((commit) => ({ ...commit, note: notes.get(commit.id), tags: tags.get(commit.id) ?? [] }))
      .filter((commit) => isWanted(commit, gone));
    this.#head = head;
    return this.#commits;
  }

  /** By commit: of data that is not all gone; and the commits whose data is. */
  #readNotes(source: DataHistorySource) {
    const notes = new Map<ObjectId, DataNote>();
    const gone = new Set<ObjectId>();
    for (const [commit, blob] of listNotes(source.store, source.refs().get(NOTES))) {
      const note = this.#gone.has(blob) ? undefined : readNoteAt(source, commit, blob);
      if (note === undefined) gone.add(commit);
      else if (isGone(note)) {
        this.#gone.add(blob);
        gone.add(commit);
      } else notes.set(commit, note);
    }
    return { notes, gone };
  }

  async #readCommits(
    source: DataHistorySource,
    notes: ReadonlyMap<ObjectId, DataNote>,
  ): Promise<readonly DataCommit[]> {
    const missing = new Set([...notes].filter(([, note]) => isThere(note)).map(([commit]) => commit));
    const commits: DataCommit[] = [];
    let isStraight = true;
    for await (const { id, time, parents, trailers } of log(source)) {
      // Behind a merge there may be others that were not known before.
      if (id === this.#head && isStraight) return [...commits, ...this.#commits];
      if (missing.size === 0 && commits.length >= AT_LEAST) return commits;
      isStraight &&= parents.length < 2;
      missing.delete(id);
      const { snapshots, coveredBy } = parseSnapshotTrailers(trailers);
      commits.push({ id, time: time.getTime(), tags: [], snapshots, coveredBy, note: undefined });
    }
    return commits;
  }
}

/** Nothing will ever be done about it again. */
function isGone({ claims }: DataNote): boolean {
  const states = Object.values(claims ?? {});
  return states.length > 0 && states.every(({ state, removedAt }) => state === 'pruned' && removedAt !== undefined);
}

function isThere({ claims }: DataNote): boolean {
  return Object.values(claims ?? {}).some(({ state }) => state !== 'failed');
}

/** It asked for data that may still be there, or points at some. */
function isWanted({ id, note, coveredBy, snapshots }: DataCommit, gone: ReadonlySet<ObjectId>): boolean {
  if (gone.has(note?.coveredBy ?? coveredBy ?? id)) return false;
  return note !== undefined || snapshots.size > 0;
}
