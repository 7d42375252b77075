import { Breath } from '../breathe.ts';
import { ByteCache } from '../byte-cache.ts';
import { EMPTY_TREE, type ObjectId } from '../object-id.ts';
import type { ObjectCache, ObjectStore, StoredObject } from '../object-store.ts';
import { peelTag } from '../tag-object.ts';
import { diffTreeContents, type EntryChange } from '../tree-diff.ts';
import { entryId, entryMode, findEntry, readTreeImage } from '../tree-image.ts';
import { findNewCommits } from './new-commits.ts';

export interface MissingObjects {
  /** What to send; each with the version that came before it at its path, where there is one. */
  readonly missing: ReadonlyMap<ObjectId, ObjectId | undefined>;
  /** What was met and is there already: a delta may rest on it. */
  readonly known: ReadonlySet<ObjectId>;
}

const SUBMODULE = '160000';

/** Neighbouring versions of large directories are built from one another. */
const CACHE_BYTES = 12 * 1024 * 1024;
const TREE_BYTES = 4 * 1024 * 1024;

/**
 * The objects that lead from `wants` and that a remote with `haves` lacks. Each new commit's tree is compared with those
 * of its parents, equal parts unread, so the work and the memory are those of what changed. As with Git, a file that
 * comes back as it was many commits ago is sent again. Ids in `haves` that we do not know say nothing and are left out.
 * Throws REPOSITORY_DAMAGED when an object of ours is missing.
 */
export async function findMissing(
  store: ObjectStore,
  wants: Iterable<ObjectId>,
  haves: Iterable<ObjectId>,
  signal?: AbortSignal,
): Promise<MissingObjects> {
  const search = new Search(store, signal);
  for (const id of haves) if (store.has(id)) search.known.add(id);
  const known = [...search.known];
  const tips: ObjectId[] = [];
  for (const id of wants) {
    const tip = await search.takeRef(id);
    if (tip !== undefined) tips.push(tip);
  }
  if (tips.length > 0) await search.takeHistory(tips, known);
  // Not the search itself: its caches are not wanted while the pack is sent.
  return { missing: search.missing, known: search.known };
}

class Search {
  readonly missing = new Map<ObjectId, ObjectId | undefined>();
  readonly known = new Set<ObjectId>();
  readonly #store: ObjectStore;
  readonly #signal: AbortSignal | undefined;
  readonly #cache: ObjectCache = new ByteCache<StoredObject>(CACHE_BYTES);
  readonly #trees = new ByteCache<Buffer>(TREE_BYTES);
  readonly #breath = new Breath();

  constructor(store: ObjectStore, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#signal = signal;
  }

  /** Takes what stands before the commit that a ref of ours leads to, and answers that one. */
  async takeRef(start: ObjectId): Promise<ObjectId | undefined> {
    for (let id: ObjectId | undefined = start; id !== undefined; id = this.#targetOf(id)) {
      const { type } = this.#store.read(id, this.#cache);
      if (type === 'commit') return id;
      if (type === 'tree') await this.#takeTree(id, []);
      else this.#take(id, undefined);
    }
    return undefined;
  }

  async takeHistory(tips: readonly ObjectId[], haves: readonly ObjectId[]): Promise<void> {
    const known = haves.flatMap((id) => this.#commitBehind(id) ?? []);
    const commits = await findNewCommits(this.#store, { tips, known }, { cache: this.#cache, breath: this.#breath });
    for (const { id, tree, parentTrees } of commits) {
      this.#signal?.throwIfAborted();
      await this.#takeTree(tree, parentTrees);
      this.#take(id, undefined);
    }
  }

  /** All of every `before` is known or taken already: parents come before their children. */
  async #takeTree(after: ObjectId, before: readonly ObjectId[]): Promise<void> {
    for (const id of before) this.#meet(id);
    if (!this.#take(after, before[0])) return;
    await this.#breath.take();
    const content = this.#readTree(after);
    const [old = Buffer.alloc(0), ...others] = before.map((id) => this.#readTree(id));
    for (const change of diffTreeContents(old, content)) {
      if (change.before !== undefined) this.#meet(change.before.id);
      if (change.after === undefined) continue;
      const { id, name, directory } = change.after;
      const versions = versionsOf(change, others);
      if (directory) await this.#takeTree(id, versions);
      else if (!versions.includes(id) && !this.#isSubmodule(content, name, id)) this.#take(id, versions[0]);
    }
  }

  #take(id: ObjectId, before: ObjectId | undefined): boolean {
    if (this.missing.has(id) || this.known.has(id)) return false;
    this.missing.set(id, before === EMPTY_TREE ? undefined : before);
    return true;
  }

  #meet(id: ObjectId): void {
    if (!this.missing.has(id)) this.known.add(id);
  }

  /** Of what the remote has; what is no commit says too little to be followed. */
  #commitBehind(start: ObjectId): ObjectId | undefined {
    for (let id: ObjectId | undefined = start; id !== undefined; id = this.#targetOf(id)) {
      if (this.#store.read(id, this.#cache).type === 'commit') return id;
      this.known.add(id);
    }
    return undefined;
  }

  #targetOf(tag: ObjectId): ObjectId | undefined {
    const { type, content } = this.#store.read(tag, this.#cache);
    return type === 'tag' ? peelTag(content) : undefined;
  }

  /** The commit of another repository: it is not kept here. We write none; a merge may bring one. */
  #isSubmodule(tree: Buffer, name: string, id: ObjectId): boolean {
    if (this.#store.has(id)) return false;
    const image = readTreeImage(tree);
    const found = findEntry(image, Buffer.from(name), false);
    return found >= 0 && entryMode(image, found) === SUBMODULE;
  }

  /** Each is asked for twice, after its commit and before the next. */
  #readTree(id: ObjectId): Buffer {
    let content = this.#trees.get(id);
    if (content === undefined) {
      content = this.#store.readAs('tree', id, this.#cache);
      this.#trees.set(id, content, content.length);
    }
    return content;
  }
}

/** The versions of a changed entry in all parents, its own kind only. */
function versionsOf({ before, after }: EntryChange, others: readonly Buffer[]): ObjectId[] {
  const versions = before === undefined ? [] : [before.id];
  if (after === undefined) return versions;
  for (const raw of others) {
    const image = readTreeImage(raw);
    const found = findEntry(image, Buffer.from(after.name), after.directory);
    if (found >= 0) versions.push(entryId(image, found));
  }
  return versions;
}
