import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KeeperError } from '../errors.ts';
import { judgeIndex } from './distrust.ts';
import { errnoOf, fileFailure } from './errors.ts';
import type { HistorySource } from './history.ts';
import { hasRepository, isRuin } from './layout.ts';
import { prepareDirectory } from './load-branch.ts';
import type { ObjectId } from './object-id.ts';
import { ObjectStore } from './object-store.ts';
import { forgetPack } from './open-pack.ts';
import { listRefs, MAIN, readRef } from './refs.ts';
import { TreeCursor } from './tree-cursor.ts';

/**
 * A bare repository that is only looked at, and that anybody may have made: nothing of it is loaded until it is asked for, and every
 * object is judged (see distrust.ts). A writer may work beside it.
 */
export interface Archive extends HistorySource, Disposable {
  readonly directory: string;
  /** Every ref by full name. */
  refs(): ReadonlyMap<string, ObjectId>;
}

export interface ArchiveEntry {
  /** As it stands in the tree, byte for byte as latin1: a name that is not ASCII looks odd and never like another one. */
  readonly name: string;
  /** Octal: 100644 a file, 40000 a directory; 100755, 120000 (symbolic link) and 160000 (submodule) are never ours. */
  readonly mode: string;
  readonly id: ObjectId;
}

/**
 * `trusted`: only we write there, so nothing is judged. Throws REPOSITORY_DAMAGED, REPOSITORY_FOREIGN, DATA_DIRECTORY_UNUSABLE and, unless
 * trusted, REPOSITORY_HOSTILE.
 */
export async function openArchive(
  directory: string,
  { trusted = false }: { readonly trusted?: boolean } = {},
): Promise<Archive> {
  const path = resolve(directory);
  if (!hasRepository(path) && !isRuin(path)) throw notBare(path);
  for (let look = 1; ; look++) {
    try {
      return await openOnce(path, !trusted);
    } catch (error) {
      // A writer may be taking something back under our eyes.
      if (errnoOf(error) !== 'ENOENT' || look === LOOKS) throw fileFailure(path, 'open the repository', error);
      await wait(LOOK_AGAIN_MS);
    }
  }
}

const LOOKS = 10;
const LOOK_AGAIN_MS = 20;

async function openOnce(path: string, distrusted: boolean): Promise<Archive> {
  await prepareDirectory(path, true);
  const head = readRef(path, MAIN);
  const store = new ObjectStore(path, { distrusted });
  store.rescan();
  if (distrusted) for (const pack of store.packs) judgeIndex(pack);
  return { directory: path, store, head, refs: () => listRefs(path), [Symbol.dispose]: () => close(store) };
}

/** The entries of one directory, in Git's order; the store has judged that they are in order and that none is named twice. */
export function* entriesOf(archive: Archive, tree: ObjectId): Generator<ArchiveEntry> {
  const cursor = new TreeCursor(archive.store.readAs('tree', tree));
  while (cursor.next()) yield { name: cursor.name, mode: cursor.mode, id: cursor.id };
}

function notBare(directory: string): KeeperError {
  return new KeeperError(
    `"${directory}" is no bare Git repository; nothing was changed, check the path, or make one with: git clone --bare URL`,
    { kind: 'invalid-input', code: 'REPOSITORY_FOREIGN', details: { directory } },
  );
}

function close(store: ObjectStore): void {
  for (const pack of store.packs) forgetPack(pack);
}
