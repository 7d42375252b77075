import { inflateSync } from 'node:zlib';
import { applyDelta } from './apply-delta.ts';
import { Breath } from './breathe.ts';
import { ByteCache } from './byte-cache.ts';
import { NONE } from './merge-table.ts';
import type { ObjectId } from './object-id.ts';
import { forgetFile, readAt } from './open-files.ts';
import { objectTypeOf } from './pack-format.ts';
import { LARGEST_OBJECT, nameObject } from './receive-entry.ts';
import type { ReceivedEntries } from './received-entries.ts';

/** Git makes chains of fifty, and made such of 250 when asked to be thorough. */
const DEEPEST = 250;

/** Contents that deltas build upon; beyond that they are built again. */
const CACHE_BYTES = 16 * 1024 * 1024;

/**
 * Names and checks every delta of a pack that lies, whole, in a file. Each one follows its base at once, so that the base
 * is at hand. Throws a RangeError for a delta that does not fit, or whose base is not in the pack.
 */
export async function resolveDeltas(
  path: string,
  { entries, baseIds }: { readonly entries: ReceivedEntries; readonly baseIds: ReadonlyMap<number, ObjectId> },
  signal: AbortSignal,
): Promise<void> {
  const resolver = new Resolver(path, entries, baseIds);
  const breath = new Breath();
  try {
    for (let row = 0; row < entries.count; row++) {
      if (objectTypeOf(entries.type[row] as number) === undefined) continue;
      const open = resolver.deltasOf(row);
      for (let delta = open.pop(); delta !== undefined; delta = open.pop()) {
        signal.throwIfAborted();
        resolver.resolve(delta);
        for (const next of resolver.deltasOf(delta)) open.push(next);
        await breath.take();
      }
    }
  } finally {
    forgetFile(path);
  }
  if (entries.isKnown.subarray(0, entries.count).includes(0)) throw new RangeError('A delta has no base in the pack');
}

class Resolver {
  readonly #path: string;
  readonly #entries: ReceivedEntries;
  /** Deflated bytes are looked at once. */
  #scratch = Buffer.allocUnsafeSlow(64 * 1024);
  readonly #cache = new ByteCache<Buffer>(CACHE_BYTES);
  readonly #depth: Uint16Array;
  /** The first delta of each row, and the next delta of the same base. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  readonly #byBaseId = new Map<ObjectId, number[]>();

  constructor(path: string, entries: ReceivedEntries, baseIds: ReadonlyMap<number, ObjectId>) {
    this.#path = path;
    this.#entries = entries;
    this.#depth = new Uint16Array(entries.count);
    this.#first = new Int32Array(entries.count).fill(NONE);
    this.#next = new Int32Array(entries.count).fill(NONE);
    for (let row = entries.count - 1; row >= 0; row--) {
      const base = entries.base[row] as number;
      if (base !== NONE) this.#link(row, base);
    }
    for (const [row, id] of baseIds) {
      const rows = this.#byBaseId.get(id);
      if (rows === undefined) this.#byBaseId.set(id, [row]);
      else rows.push(row);
    }
  }

  /** Of a row whose id is known. */
  deltasOf(row: number): number[] {
    if (this.#byBaseId.size > 0) {
      for (const delta of this.#byBaseId.get(this.#entries.id(row)) ?? []) {
        if (this.#entries.base[delta] === NONE) this.#link(delta, row);
      }
    }
    const rows: number[] = [];
    for (let delta = this.#first[row] as number; delta !== NONE; delta = this.#next[delta] as number) rows.push(delta);
    return rows;
  }

  resolve(row: number): void {
    const entries = this.#entries;
    const base = entries.base[row] as number;
    const depth = (this.#depth[base] as number) + 1;
    if (depth > DEEPEST) throw new RangeError(`A chain of deltas is longer than ${DEEPEST}`);
    this.#depth[row] = depth;
    // From here on the row's own type is that of the object: only its bytes say that it is a delta.
    const type = objectTypeOf(entries.type[base] as number);
    if (type === undefined) throw new RangeError('A delta has no object at its end');
    entries.type[row] = entries.type[base] as number;
    const content = this.#contentOf(row);
    entries.setId(row, nameObject(type, [content], content.length));
  }

  #link(delta: number, base: number): void {
    this.#entries.base[delta] = base;
    this.#next[delta] = this.#first[base] as number;
    this.#first[base] = delta;
  }

  #contentOf(row: number): Buffer {
    const deltas: number[] = [];
    let at = row;
    let content = this.#cache.get(`${at}`);
    while (content === undefined && this.#entries.base[at] !== NONE) {
      deltas.push(at);
      at = this.#entries.base[at] as number;
      content = this.#cache.get(`${at}`);
    }
    content ??= this.#keep(at, this.#inflate(at));
    for (const delta of deltas.reverse()) {
      content = this.#keep(delta, applyDelta(content, this.#inflate(delta), LARGEST_OBJECT));
    }
    return content;
  }

  #keep(row: number, content: Buffer): Buffer {
    this.#cache.set(`${row}`, content, content.length + 100);
    return content;
  }

  #inflate(row: number): Buffer {
    const { offset, header, size } = this.#entries;
    const start = (offset[row] as number) + (header[row] as number);
    const length = this.#entries.endOf(row) - start;
    if (length > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(length);
    const stored = readAt(this.#path, start, length, this.#scratch);
    return inflateSync(stored, { chunkSize: Math.max(64, (size[row] as number) + 1) });
  }
}
