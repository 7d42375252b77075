import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCommit } from './commit-queue.ts';
import { type DirectoryTree, loadTree } from './directory-tree.ts';
import { syncDirectory } from './durable-file.ts';
import { damaged, foreign } from './errors.ts';
import { fenceOff } from './fence.ts';
import { checkLayout, createRepository, hasRepository, isRuin } from './layout.ts';
import { EMPTY_TREE, type ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { isReceived, sweepReceived } from './received-packs.ts';
import { listRefs, MAIN, readRef } from './refs.ts';
import { hasHistory, settleLostPacks, sweepLocks, sweepPackDirectory, sweepSpills } from './sweep.ts';

/** Where the branch is, and its trees as ids. */
export interface BranchState {
  readonly head: ObjectId | undefined;
  readonly treeId: ObjectId | undefined;
  /** Undefined when there is no file. */
  readonly tree: DirectoryTree | undefined;
}

export async function prepareDirectory(directory: string, readOnly: boolean): Promise<void> {
  if (isRuin(directory)) throw damaged(directory, 'HEAD', 'is missing');
  if (!hasRepository(directory)) {
    if (readOnly) throw foreign(directory, 'it is no bare Git repository');
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === false)
      throw foreign(directory, 'it is a file');
    await createRepository(directory);
  }
  checkLayout(directory);
}

/**
 * Reads the branch and its trees. Unless `readOnly`, nobody who wrote here before can move a ref any more once it is
 * read, and leftovers of a killed writer are removed, once all could be read.
 */
export async function loadBranch(store: ObjectStore, readOnly: boolean): Promise<BranchState> {
  if (!readOnly) await fenceOff(store.directory);
  const head = readRef(store.directory, MAIN);
  store.rescan();
  const state = await readWholeBranch(store, head, readOnly);
  if (readOnly) return state;
  // Every ref must be one that can be read, also those that nobody asks for today.
  const refs = listRefs(store.directory);
  if (head === undefined) await refuseLostBranch(store, refs);
  // Whoever wrote before may have failed, or been killed, before the name was on the disk that is built upon from here on.
  await syncDirectory(head === undefined ? dirname(store.directory) : dirname(join(store.directory, MAIN)));
  await sweepPackDirectory(store);
  await sweepLocks(store);
  await sweepSpills(store, state);
  await sweepReceived(store);
  return state;
}

async function readWholeBranch(
  store: ObjectStore,
  head: ObjectId | undefined,
  readOnly: boolean,
): Promise<BranchState> {
  try {
    const state = readBranch(store, head);
    await settleLostPacks(store, state, readOnly);
    return state;
  } catch (error) {
    // The lost pack is the reason, not the first object that was looked for in it.
    await settleLostPacks(store, undefined, readOnly);
    throw error;
  }
}

/** The branch as it would be at a commit. */
export function readBranch(store: ObjectStore, head: ObjectId | undefined): BranchState {
  if (head === undefined) return { head, treeId: undefined, tree: undefined };
  try {
    const treeId = readCommit(store, head).tree;
    const tree = treeId === EMPTY_TREE ? undefined : loadTree(treeId, (id) => store.readAs('tree', id));
    return { head, treeId, tree };
  } catch (error) {
    throw error instanceof RangeError
      ? damaged(store.directory, `the tree of commit ${head}`, 'cannot be read', error)
      : error;
  }
}

/**
 * A first commit that was never published is what a power cut leaves of it, and so is what was received and no ref leads to
 * yet; anything more is a history without its branch. Nothing of it may be swept: without the branch, all of it looks like
 * leftovers.
 */
async function refuseLostBranch(store: ObjectStore, refs: ReadonlyMap<string, ObjectId>): Promise<void> {
  await sweepLocks(store);
  const packs = store.packs.filter((pack) => !isReceived(pack));
  if (refs.size === 0 && !packs.some((pack) => hasHistory(store, pack))) return;
  throw damaged(store.directory, MAIN, 'is missing though there are commits');
}
