import { readCommit } from './commit-queue.ts';
import { findTreeEntry } from './find-tree-entry.ts';
import type { HistorySource } from './history.ts';
import type { ObjectId } from './object-id.ts';

/** Beyond that many commits an older version is not looked for. */
const FAR = 200;

/** The last version of a file that HEAD does not have; undefined where none of the last commits had one. */
export function lastVersion({ store, head }: HistorySource, path: string): Buffer | undefined {
  let commit: ObjectId | undefined = head;
  for (let step = 0; commit !== undefined && step < FAR; step++) {
    const { tree, parents } = readCommit(store, commit);
    let id: ObjectId | undefined = tree;
    for (const name of path.split('/'))
      id = id === undefined ? undefined : findTreeEntry(store.readAs('tree', id), name);
    if (id !== undefined) return store.readAs('blob', id);
    commit = parents[0];
  }
  return undefined;
}
