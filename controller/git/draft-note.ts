import type { Identity } from './commit-object.ts';
import { readCommit } from './commit-queue.ts';
import { commitTime } from './commit-time.ts';
import { packEntry } from './deflate.ts';
import { refused } from './errors.ts';
import { findNote, putNote } from './notes.ts';
import { blobId, type ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { ENTRY } from './pack-format.ts';
import { addCommit, addObject, type PackObjects } from './write-window.ts';

export interface NoteOptions {
  readonly author: Identity;
  readonly time: Date;
}

/** The objects of the commit on the notes' ref that sets one note, nothing written; undefined when the note is that already. */
export function draftNote(
  store: ObjectStore,
  head: ObjectId | undefined,
  note: { readonly target: ObjectId; readonly text: string },
  { author, time }: NoteOptions,
): { readonly objects: PackObjects; readonly id: ObjectId } | undefined {
  const { target, text } = note;
  if (!store.has(target)) throw refused(store.directory, `object ${target} to be noted is not there`);
  const before = head === undefined ? undefined : readCommit(store, head).tree;
  if (before !== undefined && findNote(store, before, target) === blobId(text)) return undefined;
  const objects: PackObjects = new Map();
  const { root, trees } = putNote(store, before, target, addObject(objects, 'blob', Buffer.from(text)));
  for (const [id, { raw }] of trees) objects.set(id, packEntry(ENTRY.tree, raw));
  const parents = head === undefined ? [] : [head];
  const commit = { tree: root, parents, author, committer: author, authorTime: time, message: `Note on ${target}` };
  return { objects, id: addCommit(objects, { ...commit, time: commitTime(store, parents, time) }) };
}

/** The text of a target's note at a commit on the notes' ref. */
export function noteAt(store: ObjectStore, head: ObjectId | undefined, target: ObjectId): string | undefined {
  const blob = head === undefined ? undefined : findNote(store, readCommit(store, head).tree, target);
  return blob === undefined ? undefined : store.readAs('blob', blob).toString('utf8');
}
