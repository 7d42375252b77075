import { crc32 } from 'node:zlib';
import { damaged, errnoOf } from '../errors.ts';
import { ForwardReader } from '../forward-reader.ts';
import type { ObjectId } from '../object-id.ts';
import type { ObjectStore } from '../object-store.ts';
import { indexOf, type Pack } from '../open-pack.ts';
import { decodeEntryHeader, ENTRY } from '../pack-format.ts';
import { PackOffsets } from './pack-offsets.ts';

/** An entry as it lies in a pack of ours. */
export interface StoredEntry {
  readonly bytes: Buffer;
  readonly type: number;
  /** Of the inflated content; for a delta of the delta itself. */
  readonly size: number;
  /** Bytes up to the zlib stream. */
  readonly header: number;
  /** What it is a delta of. */
  readonly base: ObjectId | undefined;
}

/** Reads entries without inflating them. Packs may be merged meanwhile: each entry is looked up when it is read. */
export class StoredEntries {
  readonly #store: ObjectStore;
  readonly #offsets = new Map<string, PackOffsets>();
  #reader: { readonly pack: Pack; readonly forward: ForwardReader } | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /**
   * Undefined for what lies in no pack, and when another process merged the pack away this moment. Throws
   * REPOSITORY_DAMAGED when the bytes are not those that were written: damage must not be sent.
   */
  read(id: ObjectId): StoredEntry | undefined {
    const place = findOldest(this.#store, id);
    if (place === undefined) return undefined;
    try {
      return this.#readAt(place.pack, place.position);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #readAt(pack: Pack, position: number): StoredEntry {
    const index = indexOf(pack);
    const offset = index.offset(position);
    const offsets = this.#offsetsOf(pack);
    if (this.#reader?.pack.name !== pack.name) this.#reader = { pack, forward: new ForwardReader(pack) };
    const bytes = this.#reader.forward.read(offset, offsets.endOf(offset) - offset);
    const file = `objects/pack/${pack.name}.pack`;
    if (crc32(bytes) !== index.crc(position)) throw damaged(pack.repository, file, `was changed at byte ${offset}`);
    const { type, size, length, distance, baseId } = decodeEntryHeader(bytes, 0);
    const base = type === ENTRY.offsetDelta ? offsets.idAt(offset - distance) : baseId;
    if (type === ENTRY.offsetDelta && base === undefined) {
      throw damaged(pack.repository, file, `has a delta without a base at byte ${offset}`);
    }
    return { bytes, type, size, header: length, base };
  }

  #offsetsOf(pack: Pack): PackOffsets {
    let offsets = this.#offsets.get(pack.name);
    if (offsets === undefined) {
      offsets = new PackOffsets(pack);
      this.#offsets.set(pack.name, offsets);
    }
    return offsets;
  }
}

/** In the order of packs and of bytes within them, oldest first, so bases before their deltas; what lies in no pack comes last. */
export function inStoredOrder(store: ObjectStore, ids: Iterable<ObjectId>): ObjectId[] {
  const numbers = new Map(store.packs.map((pack, number) => [pack, number]));
  const places = Array.from(ids, (id) => {
    const place = findOldest(store, id);
    if (place === undefined) return { id, pack: numbers.size, offset: 0 };
    return { id, pack: numbers.get(place.pack) as number, offset: indexOf(place.pack).offset(place.position) };
  });
  return places.sort((a, b) => a.pack - b.pack || a.offset - b.offset).map(({ id }) => id);
}

/** Of twins the oldest, which is the likeliest to be a delta already. */
function findOldest(store: ObjectStore, id: ObjectId): { readonly pack: Pack; readonly position: number } | undefined {
  const bytes = Buffer.from(id, 'hex');
  for (const pack of store.packs) {
    const position = indexOf(pack).find(bytes);
    if (position >= 0) return { pack, position };
  }
  return undefined;
}
