import { readCommit } from '../git/commit-queue.ts';
import type { ObjectId } from '../git/object-id.ts';
import { type ReadTag, readTags } from '../git/read-tag.ts';
import { changedFiles, readingCache } from './files.ts';
import type { History } from './open-history.ts';

/** A tag, and how far the archive is from it by now. */
export interface TagState extends ReadTag {
  /** Objects that HEAD has otherwise; 0 when it has the same tree. */
  readonly drifted: number;
}

/** The newest first. */
export function tagStates(history: History): readonly TagState[] {
  const { archive, head } = history;
  const cache = readingCache();
  const treeOf = (commit: ObjectId) => readCommit(archive.store, commit).tree;
  const now = treeOf(head);
  const known = new Map<ObjectId, number>();
  return readTags(archive).map((tag) => {
    const tree = treeOf(tag.commit);
    const drifted = known.get(tree) ?? changedFiles(archive, [tree, now], () => true, cache).length;
    known.set(tree, drifted);
    return { ...tag, drifted };
  });
}

/** The newest known-good state, or HEAD where nobody named one. */
export function newestGood(history: History): ObjectId {
  return readTags(history.archive).find(({ name }) => name.startsWith('good/'))?.commit ?? history.head;
}
