import { KeeperError } from '../errors.ts';
import { damaged } from './errors.ts';
import type { Guard } from './fenced-file.ts';
import { type ObjectStore, openPack } from './object-store.ts';
import { MAIN, readRef } from './refs.ts';
import { lockRef, type RefMove } from './update-ref.ts';
import { type PackObjects, writeWindow } from './write-window.ts';

export interface Publication extends RefMove {
  readonly objects: PackObjects;
  readonly guard: Guard | undefined;
  /** Told as soon as readers see the ref moved; it is durable when `publish` returns. */
  readonly moved: () => void;
}

/**
 * Pack, then index, then ref: each is durable before the next can be seen. Returns the bytes written. When the ref could
 * not be moved the pack may stay: nothing leads to it, and a file server that lost an answer must not cost a commit.
 */
export async function publish(store: ObjectStore, publication: Publication): Promise<number> {
  const { objects, ref, from, to, guard } = publication;
  await using lock = await lockRef(store.directory, ref, from, guard).catch((error) =>
    refuseLost(store, publication, error),
  );
  const beforeNaming = () => lock.write(`${to}\n`);
  const { name, bytes } = await writeWindow(store.packDirectory, objects, { beforeNaming, guard });
  const pack = openPack(store.directory, name, false);
  await lock.publish();
  store.replace(new Set(), pack);
  publication.moved();
  await lock.makeDurable();
  return bytes;
}

/** A branch that is gone or leads to nothing was not moved by another writer: it is damaged. */
function refuseLost(store: ObjectStore, { ref, from }: RefMove, error: unknown): never {
  const isElsewhere = error instanceof KeeperError && error.code === 'DATA_DIRECTORY_IN_USE' && ref === MAIN;
  if (!isElsewhere || from === undefined) throw error;
  const actual = readRef(store.directory, ref);
  if (actual === undefined) throw damaged(store.directory, ref, 'is missing though there are commits', error);
  store.rescan();
  if (!store.has(actual)) throw damaged(store.directory, ref, 'names a commit that is not there', error);
  throw error;
}
