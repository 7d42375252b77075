import { Breath } from './breathe.ts';
import { readCommit } from './commit-queue.ts';
import { EMPTY_TREE, type ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { diffTreeContents, type EntryChange } from './tree-diff.ts';
import { entryMode, findEntry, readTreeImage } from './tree-image.ts';

const SUBMODULE_MODE = '160000';

/**
 * Looks whether all that a commit leads to is there, its history apart. A tree is compared with that of the first parent,
 * so an object is looked for where it came and not in every later version: who wants to know of a history asks for each of
 * its commits.
 */
export class MissingObjects {
  readonly #store: ObjectStore;
  readonly #breath = new Breath();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** An object that is missing; undefined when there is none. */
  async of({
    tree,
    parents,
  }: {
    readonly tree: ObjectId;
    readonly parents: readonly ObjectId[];
  }): Promise<ObjectId | undefined> {
    const [parent] = parents;
    if (parent !== undefined && !this.#store.has(parent)) return parent;
    return await this.#inTree(parent === undefined ? EMPTY_TREE : readCommit(this.#store, parent).tree, tree);
  }

  async #inTree(before: ObjectId, after: ObjectId): Promise<ObjectId | undefined> {
    if (before === after) return undefined;
    if (!this.#store.has(after)) return after;
    const old = this.#store.has(before) ? this.#store.readAs('tree', before) : NOTHING;
    const raw = this.#store.readAs('tree', after);
    await this.#breath.take();
    for (const change of diffTreeContents(old, raw)) {
      const missing = await this.#inEntry(change, raw);
      if (missing !== undefined) return missing;
    }
    return undefined;
  }

  async #inEntry({ name, before, after }: EntryChange, raw: Buffer): Promise<ObjectId | undefined> {
    if (after === undefined) return undefined;
    if (after.directory) return this.#inTree(before?.directory === true ? before.id : EMPTY_TREE, after.id);
    return this.#store.has(after.id) || isSubmodule(raw, name) ? undefined : after.id;
  }
}

const NOTHING = Buffer.alloc(0);

/** A commit of another repository, which is never there. */
function isSubmodule(raw: Buffer, name: string): boolean {
  const image = readTreeImage(raw);
  const found = findEntry(image, Buffer.from(name), false);
  return found >= 0 && entryMode(image, found) === SUBMODULE_MODE;
}
