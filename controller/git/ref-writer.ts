import { dirname, join } from 'node:path';
import { syncDirectory } from './durable-file.ts';
import { errnoOf } from './errors.ts';
import type { Guard } from './fenced-file.ts';
import type { ObjectStore } from './object-store.ts';
import { publish } from './publish.ts';
import { type RefChange, type RefMove, updateRef } from './update-ref.ts';
import type { PackObjects } from './write-window.ts';

/**
 * Moves the refs of one repository. A ref that moved for readers while its directory could not be synced is remembered:
 * the next write makes up for that first, so that nothing is built upon what a power cut could take back.
 */
export class RefWriter {
  readonly #store: ObjectStore;
  readonly #guard: Guard | undefined;
  readonly #unsynced = new Set<string>();

  constructor(store: ObjectStore, guard: Guard | undefined) {
    this.#store = store;
    this.#guard = guard;
  }

  /** Writes objects, then moves a ref to one of them. Returns the bytes written. `moved` is called as soon as readers see it. */
  async publish(objects: PackObjects, move: RefMove, moved: () => void = () => undefined): Promise<number> {
    return await this.#untilDurable(move.ref, moved, (seen) => {
      return publish(this.#store, { ...move, objects, guard: this.#guard, moved: seen });
    });
  }

  /** Moves a ref to an object that is there, or removes it. */
  async move(ref: string, change: RefChange, moved: () => void = () => undefined): Promise<void> {
    await this.#untilDurable(ref, moved, (seen) => {
      return updateRef(this.#store.directory, ref, change, { guard: this.#guard, moved: seen });
    });
  }

  /** To be called before anything is written. */
  async makeUp(): Promise<void> {
    for (const directory of this.#unsynced) {
      await this.#sync(directory);
      this.#unsynced.delete(directory);
    }
  }

  /** Git removes directories of refs that are empty: what is left to sync is then in the one above. */
  async #sync(directory: string): Promise<void> {
    try {
      await syncDirectory(directory);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || directory === this.#store.directory) throw error;
      await this.#sync(dirname(directory));
    }
  }

  async #untilDurable<Result>(
    ref: string,
    moved: () => void,
    work: (seen: () => void) => Promise<Result>,
  ): Promise<Result> {
    const directory = join(this.#store.directory, dirname(ref));
    const result = await work(() => {
      this.#unsynced.add(directory);
      moved();
    });
    this.#unsynced.delete(directory);
    return result;
  }
}
