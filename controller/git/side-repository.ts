import { rm } from 'node:fs/promises';
import { packEntry } from './deflate.ts';
import { type CommitOptions, draftCommit } from './draft-commit.ts';
import { fileFailure } from './errors.ts';
import type { HistorySource } from './history.ts';
import { createRepository } from './layout.ts';
import { readBranch } from './load-branch.ts';
import { blobId, type ObjectId } from './object-id.ts';
import { type ObjectCache, ObjectStore, openPack, type StoredObject } from './object-store.ts';
import type { Archive } from './open-archive.ts';
import { ENTRY } from './pack-format.ts';
import { type ReceivedPack, receivePack } from './receive-pack.ts';
import { requireValidPath } from './valid-path.ts';
import { writeWindow } from './write-window.ts';

/**
 * New objects beside a repository that another process may be writing: it reads both and writes only to a place of its own, which goes
 * with the work. No ref is moved anywhere.
 */
export class SideRepository implements HistorySource {
  readonly head: ObjectId | undefined;
  readonly store: ObjectStore;
  readonly #main: Archive;

  /** Use `withSideRepository`. */
  constructor(main: Archive, directory: string) {
    this.head = main.head;
    this.store = new JoinedStore(directory, main.store);
    this.store.rescan();
    this.#main = main;
  }

  /** Of the repository beside which this is. */
  refs(): ReadonlyMap<string, ObjectId> {
    return this.#main.refs();
  }

  /** Takes a self-contained pack from a stream, as `Repository.receivePack` does. */
  async receivePack(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<ReceivedPack> {
    const options = { guard: undefined, signal: signal ?? new AbortController().signal };
    const { pack, received } = await receivePack(this.store, source, options);
    if (pack !== undefined) this.store.replace(new Set(), pack);
    return received;
  }

  /**
   * A commit that follows `parent` with these files changed: bytes, or the id of a blob that is there, or undefined for none. Answers
   * undefined when the tree would be the same. Nothing leads to it until it is pushed.
   */
  async commit(
    parent: ObjectId,
    changes: ReadonlyMap<string, ObjectId | Uint8Array | undefined>,
    options: CommitOptions,
  ): Promise<ObjectId | undefined> {
    const taken = new Map([...changes].map(([path, change]) => [path, stagedChange(path, change)] as const));
    const draft = draftCommit(this.store, readBranch(this.store, parent), taken, options);
    if (draft === undefined) return undefined;
    const { name } = await writeWindow(this.store.packDirectory, draft.objects, {});
    this.store.replace(new Set(), openPack(this.store.directory, name, false));
    return draft.next.head;
  }
}

function stagedChange(path: string, change: ObjectId | Uint8Array | undefined) {
  requireValidPath(path);
  if (change === undefined) return { id: undefined };
  if (typeof change === 'string') return { id: change, entry: undefined, spill: undefined };
  const bytes = Buffer.from(change);
  return { id: blobId(bytes), entry: packEntry(ENTRY.blob, bytes), spill: undefined };
}

/** Gives such a place in `directory`, which must belong to nobody else and is gone afterwards. */
export async function withSideRepository<Result>(
  main: Archive,
  directory: string,
  work: (side: SideRepository) => Promise<Result>,
): Promise<Result> {
  await remove(directory);
  try {
    await create(directory);
    return await work(new SideRepository(main, directory));
  } finally {
    await remove(directory);
  }
}

/** Objects of two repositories; what is written goes to the first. What strangers may have sent is judged. */
class JoinedStore extends ObjectStore {
  readonly #other: ObjectStore;

  constructor(directory: string, other: ObjectStore) {
    super(directory, { distrusted: true });
    this.#other = other;
  }

  override rescan(): void {
    super.rescan();
    this.#other.rescan();
    this.packs = [...this.#other.packs, ...this.packs.filter(({ repository }) => repository === this.directory)];
  }

  override has(id: ObjectId): boolean {
    return super.has(id) || this.#other.has(id);
  }

  /** Loose objects of the other one are not among the packs. */
  override read(id: ObjectId, cache?: ObjectCache): StoredObject {
    return super.has(id) ? super.read(id, cache) : this.#other.read(id, cache);
  }
}

async function create(directory: string): Promise<void> {
  try {
    await createRepository(directory);
  } catch (error) {
    throw fileFailure(directory, 'make a temporary repository', error);
  }
}

async function remove(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    throw fileFailure(directory, 'remove a temporary repository', error);
  }
}
