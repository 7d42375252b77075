import type { Identity } from './commit-object.ts';
import { commitTime } from './commit-time.ts';
import { editTree, fileIdIn } from './directory-tree.ts';
import { refused } from './errors.ts';
import type { BranchState } from './load-branch.ts';
import { EMPTY_TREE, type ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import type { StagedChange } from './staging.ts';
import { addCommit, addTrees, type PackObjects, stagedObjects } from './write-window.ts';

export interface CommitOptions {
  /** Kept exactly as given, ended with a line break. */
  readonly message: string;
  readonly author: Identity;
  /** The author when left out. */
  readonly committer?: Identity;
  /** The commit itself is never older than one that it follows. */
  readonly time: Date;
  /** Commits that this one joins to the branch; there is one then even when no file differs. */
  readonly mergeParents?: readonly ObjectId[];
  /** A commit is made also when no file differs. */
  readonly sameTree?: boolean;
}

export interface CommitDraft {
  readonly objects: PackObjects;
  /** Where the branch is once they are published. */
  readonly next: BranchState & { readonly head: ObjectId; readonly treeId: ObjectId };
  /** Files that differ from the commit before. */
  readonly changed: number;
}

/** The objects of the commit that makes these changes, nothing written; undefined when there is nothing to commit. */
export function draftCommit(
  store: ObjectStore,
  { head, treeId, tree }: BranchState,
  taken: ReadonlyMap<string, StagedChange>,
  options: CommitOptions,
): CommitDraft | undefined {
  const parents = parentsOf(store, head, options.mergeParents ?? []);
  const changes = new Map<string, ObjectId | undefined>();
  for (const [path, { id }] of taken) if (fileIdIn(tree, path) !== id) changes.set(path, id);
  const edit = editTree(tree, changes);
  const root = edit.tree?.id ?? EMPTY_TREE;
  const isSame = root === (treeId ?? EMPTY_TREE) && parents.length === (head === undefined ? 0 : 1);
  if (isSame && options.sameTree !== true) return undefined;
  const objects = stagedObjects(taken);
  addTrees(objects, edit.changed, root);
  const { message, author, committer = author, time } = options;
  const commit = { tree: root, parents, author, committer, authorTime: time, message };
  const id = addCommit(objects, { ...commit, time: commitTime(store, parents, time) });
  return { objects, next: { head: id, treeId: root, tree: edit.tree }, changed: changes.size };
}

function parentsOf(store: ObjectStore, head: ObjectId | undefined, others: readonly ObjectId[]): ObjectId[] {
  for (const id of others) if (!store.has(id)) throw refused(store.directory, `commit ${id} to be merged is not there`);
  return [...new Set(head === undefined ? others : [head, ...others])];
}
