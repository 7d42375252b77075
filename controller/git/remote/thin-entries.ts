import { ByteCache } from '../byte-cache.ts';
import { deflateSmall } from '../deflate.ts';
import { createDelta } from '../delta.ts';
import type { ObjectId } from '../object-id.ts';
import type { ObjectCache, ObjectStore, StoredObject } from '../object-store.ts';
import { ENTRY, encodeEntryHeader, packHeader } from '../pack-format.ts';
import type { MissingObjects } from './missing-objects.ts';
import { StoredEntries, type StoredEntry } from './stored-entries.ts';

/** Larger ones are copied: to compare them would hold up everything else. */
const LARGEST_DELTA = 4 * 1024 * 1024;
/** A delta's header alone names its base in twenty bytes. */
const SMALLEST_DELTA = 64;

const CACHE_BYTES = 16 * 1024 * 1024;

/** Makes the entries of one thin pack, in the order asked for. */
export class ThinEntries {
  readonly #store: ObjectStore;
  readonly #stored: StoredEntries;
  readonly #objects: MissingObjects;
  readonly #canUseOffsets: boolean;
  readonly #cache: ObjectCache = new ByteCache<StoredObject>(CACHE_BYTES);
  /** Where each entry begins. */
  readonly #written = new Map<ObjectId, number>();
  #position = packHeader(0).length;

  constructor(store: ObjectStore, objects: MissingObjects, canUseOffsets: boolean) {
    this.#store = store;
    this.#stored = new StoredEntries(store);
    this.#objects = objects;
    this.#canUseOffsets = canUseOffsets;
  }

  /** The bytes of the entry; each object once. */
  async write(id: ObjectId): Promise<readonly Buffer[]> {
    const parts = await this.#makeEntry(id, this.#stored.read(id));
    this.#written.set(id, this.#position);
    for (const part of parts) this.#position += part.length;
    return parts;
  }

  async #makeEntry(id: ObjectId, stored: StoredEntry | undefined): Promise<readonly Buffer[]> {
    const base = stored?.base;
    if (stored !== undefined && base !== undefined && this.#canRestOn(base)) {
      return [this.#deltaHeader(base, stored.size), stored.bytes.subarray(stored.header)];
    }
    const whole = base === undefined ? stored : undefined;
    const delta = await this.#makeDelta(id, whole?.bytes.length ?? Number.POSITIVE_INFINITY);
    if (delta !== undefined) return delta;
    if (whole !== undefined && !isUndeflatedTree(whole)) return [whole.bytes];
    const { type, content } = this.#store.read(id, this.#cache);
    return [encodeEntryHeader(ENTRY[type], content.length), await deflateSmall(content)];
  }

  /** Against the version before; undefined when there is none that may be used, or when it would save nothing. */
  async #makeDelta(id: ObjectId, wholeBytes: number): Promise<readonly Buffer[] | undefined> {
    const base = this.#objects.missing.get(id);
    if (base === undefined || wholeBytes < SMALLEST_DELTA || !this.#canRestOn(base)) return undefined;
    if (!this.#store.has(base)) return undefined;
    const after = this.#store.read(id, this.#cache);
    const before = this.#store.read(base, this.#cache);
    if (before.type !== after.type || Math.max(before.content.length, after.content.length) > LARGEST_DELTA) {
      return undefined;
    }
    const delta = createDelta(before.content, after.content, after.content.length / 2);
    if (delta === undefined) return undefined;
    const body = await deflateSmall(delta);
    const header = this.#deltaHeader(base, delta.length);
    return header.length + body.length < wholeBytes ? [header, body] : undefined;
  }

  #canRestOn(base: ObjectId): boolean {
    return this.#written.has(base) || this.#objects.known.has(base);
  }

  #deltaHeader(base: ObjectId, size: number): Buffer {
    const written = this.#canUseOffsets ? this.#written.get(base) : undefined;
    return written === undefined
      ? Buffer.concat([encodeEntryHeader(ENTRY.referenceDelta, size), Buffer.from(base, 'hex')])
      : encodeEntryHeader(ENTRY.offsetDelta, size, this.#position - written);
  }
}

/** Windows store large trees without deflating them (deflate.ts). */
function isUndeflatedTree({ type, size, bytes }: StoredEntry): boolean {
  return type === ENTRY.tree && size >= 1024 && bytes.length >= size * 0.8;
}
