import { readCommit } from './commit-queue.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { entryCount, entryId, entryName, isDirectory, readTreeImage } from './tree-image.ts';

/** All notes at a commit on the notes' ref: the blob of each by the object that it is about. Git's own fan-out may be any mixture. */
export function listNotes(store: ObjectStore, head: ObjectId | undefined): ReadonlyMap<ObjectId, ObjectId> {
  const notes = new Map<ObjectId, ObjectId>();
  const visit = (tree: ObjectId, prefix: string) => {
    const image = readTreeImage(store.readAs('tree', tree));
    for (let index = 0; index < entryCount(image); index++) {
      const path = `${prefix}${entryName(image, index)}`;
      if (!/^[0-9a-f]{2,64}$/.test(path)) continue;
      if (!isDirectory(image, index)) notes.set(path, entryId(image, index));
      else if (path.length < LONGEST_ID) visit(entryId(image, index), path);
    }
  };
  if (head !== undefined) visit(readCommit(store, head).tree, '');
  return notes;
}

const LONGEST_ID = 64;
