import { removeFile } from './durable-file.ts';
import type { Guard } from './fenced-file.ts';
import { type ObjectStore, openPack } from './object-store.ts';
import { markPack } from './pack-mark.ts';
import { removePacks } from './remove-pack.ts';
import type { StagedChange } from './staging.ts';
import { stagedObjects, writeWindow } from './write-window.ts';

/**
 * The packs of blobs that no commit names yet, marked as such. The mark is removed after the first commit that uses the
 * pack and before the next one begins. So at the next start a pack with this mark is either used by HEAD itself (the
 * mark goes) or by nothing (the pack goes).
 */
export class Spills {
  readonly #store: ObjectStore;
  readonly #names = new Set<string>();
  /** By a commit that readers see. */
  readonly #used = new Set<string>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Writes the blobs that lie in memory; the name of their pack, or undefined when there are none. */
  async write(changes: ReadonlyMap<string, StagedChange>, guard: Guard | undefined): Promise<string | undefined> {
    const objects = stagedObjects(changes);
    if (objects.size === 0) return undefined;
    const beforeNaming = (path: string) => markPack(path, 'spill');
    const { name } = await writeWindow(this.#store.packDirectory, objects, { beforeNaming, guard });
    this.#store.replace(new Set(), openPack(this.#store.directory, name, true));
    this.#names.add(name);
    return name;
  }

  /** To be called as soon as a commit of these changes is published. */
  use(changes: Iterable<StagedChange>): void {
    for (const change of changes) {
      const spill = spillOf(change);
      if (spill !== undefined) this.#used.add(spill);
    }
  }

  /** A spill that was used becomes an ordinary pack; one that nothing of what is still staged wants goes. */
  async settle(staged: Iterable<StagedChange>): Promise<void> {
    if (this.#names.size === 0) return;
    const wanted = new Set([...staged].map(spillOf));
    for (const pack of this.#store.packs.filter(({ name }) => this.#names.has(name))) {
      if (this.#used.has(pack.name)) {
        await removeFile(`${pack.path}.keep`);
        this.#store.replace(new Set([pack.name]), { ...pack, isKept: false });
      } else if (!wanted.has(pack.name)) {
        this.#store.replace(new Set([pack.name]));
        await removePacks(this.#store.packDirectory, [pack]);
      } else continue;
      this.#names.delete(pack.name);
      this.#used.delete(pack.name);
    }
  }
}

function spillOf(change: StagedChange): string | undefined {
  return change.id === undefined ? undefined : change.spill;
}
