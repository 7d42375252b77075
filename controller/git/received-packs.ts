import { reachable } from './ancestry.ts';
import { removeFile } from './durable-file.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { indexOf, type Pack } from './open-pack.ts';
import { markOf } from './pack-mark.ts';
import { listRefs } from './refs.ts';
import { removePacks } from './remove-pack.ts';

/** The packs that came from a remote and wait, marked, for a ref that leads to them. */
export class ReceivedPacks {
  readonly #store: ObjectStore;
  readonly #names = new Set<string>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  add(pack: Pack): void {
    this.#store.replace(new Set(), pack);
    this.#names.add(pack.name);
  }

  /** To be called when a ref leads to these objects: all become ordinary packs, since one may build upon another. */
  async settle(named: readonly ObjectId[]): Promise<void> {
    const packs = this.#store.packs.filter(({ name }) => this.#names.has(name));
    if (!packs.some((pack) => named.some((id) => holds(pack, id)))) return;
    for (const pack of packs) {
      await removeFile(`${pack.path}.keep`);
      this.#store.replace(new Set([pack.name]), { ...pack, isKept: false });
      this.#names.delete(pack.name);
    }
  }
}

/** Settles the received packs of a process that is gone: those that no ref leads to are removed, and come again when they are fetched. */
export async function sweepReceived(store: ObjectStore): Promise<void> {
  const received = store.packs.filter(isReceived);
  if (received.length === 0) return;
  const unnamed = new Set(received);
  for (const id of reachable(store, listRefs(store.directory).values())) {
    for (const pack of unnamed) if (holds(pack, id)) unnamed.delete(pack);
    if (unnamed.size === 0) break;
  }
  // As in `settle`: where a ref leads to one of them, the others stay as well.
  const isNamed = unnamed.size < received.length;
  if (isNamed) for (const pack of received) await removeFile(`${pack.path}.keep`);
  else await removePacks(store.packDirectory, received);
  store.rescan();
}

/** Whether a pack still waits for a ref. */
export function isReceived(pack: Pack): boolean {
  return pack.isKept && markOf(pack.path) === 'received';
}

function holds(pack: Pack, id: ObjectId): boolean {
  return indexOf(pack).find(Buffer.from(id, 'hex')) >= 0;
}
