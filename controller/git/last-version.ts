import { readCommit } from './commit-queue.ts';
import { findTreeEntry } from './find-tree-entry.ts';
import type { HistorySource } from './history.ts';
import type { ObjectId } from './object-id.ts';

/** Beyond that many commits an older version is not looked for. */
const FAR = 200;

/** The last version of a file that HEAD does not have; undefined where none of the last commits had one. */
export function lastVersion({ store, head }: HistorySource, path: string): Buffer | undefined {
  const slash = path.lastIndexOf('/');
  const [directories, name] = [path.slice(0, slash).split('/'), path.slice(slash + 1)];
  let [commit, looked]: (ObjectId | undefined)[] = [head, undefined];
  for (let step = 0; commit !== undefined && step < FAR; step++) {
    const { tree, parents } = readCommit(store, commit);
    let directory: ObjectId | undefined = tree;
    for (const part of directories)
      directory = directory === undefined ? undefined : findTreeEntry(store.readAs('tree', directory), part);
    // Most commits leave a directory as it was, and it may be large.
    if (directory !== undefined && directory !== looked) {
      const found = findTreeEntry(store.readAs('tree', directory), name);
      if (found !== undefined) return store.readAs('blob', found);
    }
    looked = directory;
    commit = parents[0];
  }
  return undefined;
}
