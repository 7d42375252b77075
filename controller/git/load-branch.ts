import { statSync } from 'node:fs';
import { parseCommit } from './commit-object.ts';
import { type DirectoryTree, loadTree } from './directory-tree.ts';
import { damaged, foreign } from './errors.ts';
import { checkLayout, createRepository, hasRepository } from './layout.ts';
import { EMPTY_TREE, type ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { MAIN, readRef } from './refs.ts';
import { countCommits, sweepLock, sweepPackDirectory, sweepSpills } from './sweep.ts';

/** Where the branch is, and its trees as ids. */
export interface BranchState {
  readonly head: ObjectId | undefined;
  readonly treeId: ObjectId | undefined;
  /** Undefined when there is no file. */
  readonly tree: DirectoryTree | undefined;
}

export async function prepareDirectory(directory: string, readOnly: boolean): Promise<void> {
  if (!hasRepository(directory)) {
    if (readOnly) throw foreign(directory, 'it is no bare Git repository');
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === false)
      throw foreign(directory, 'it is a file');
    await createRepository(directory);
  }
  checkLayout(directory);
}

/** Reads the branch and its trees. Unless `readOnly`, leftovers of a killed writer are removed, once all could be read. */
export async function loadBranch(store: ObjectStore, readOnly: boolean): Promise<BranchState> {
  const head = readRef(store.directory, MAIN);
  store.rescan();
  const state = readBranch(store, head);
  if (readOnly) return state;
  await sweepPackDirectory(store, state);
  await sweepLock(store, head);
  await sweepSpills(store, state);
  if (head === undefined) refuseLostBranch(store);
  return state;
}

function readBranch(store: ObjectStore, head: ObjectId | undefined): BranchState {
  if (head === undefined) return { head, treeId: undefined, tree: undefined };
  try {
    const treeId = parseCommit(store.readAs('commit', head)).tree;
    const tree = treeId === EMPTY_TREE ? undefined : loadTree(treeId, (id) => store.readAs('tree', id));
    return { head, treeId, tree };
  } catch (error) {
    throw error instanceof RangeError
      ? damaged(store.directory, `the tree of commit ${head}`, 'cannot be read', error)
      : error;
  }
}

/** One root commit that was never published is what a power cut during the first commit leaves; more is a history without its branch. */
function refuseLostBranch(store: ObjectStore): void {
  let commits = 0;
  for (const pack of store.packs) commits += countCommits(pack, 2);
  if (commits > 1) throw damaged(store.directory, MAIN, 'is missing though there are commits');
}
