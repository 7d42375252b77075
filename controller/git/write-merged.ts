import { crc32 } from 'node:zlib';
import { isDeltaOf } from './apply-delta.ts';
import type { Breath } from './breathe.ts';
import { deflateSmall } from './deflate.ts';
import { createDelta } from './delta.ts';
import { damaged } from './errors.ts';
import type { Guard } from './fenced-file.ts';
import { ForwardReader } from './forward-reader.ts';
import { type MergeTable, NONE } from './merge-table.ts';
import type { ObjectStore } from './object-store.ts';
import type { Pack } from './open-pack.ts';
import { ENTRY, encodeEntryHeader } from './pack-format.ts';
import { PackIndexBuilder } from './pack-index.ts';
import { PackWriter, type WrittenPack } from './pack-writer.ts';
import type { Merge } from './read-merge-table.ts';

/** Writes the rows of a merge as one pack: planned deltas are made, all else is copied without inflating it. */
export async function writeMerged(
  store: ObjectStore,
  merge: Merge,
  breath: Breath,
  guard?: Guard,
): Promise<WrittenPack> {
  const { table } = merge;
  await using writer = await PackWriter.create(store.packDirectory, table.count);
  const output = new MergedPack(store, table, writer);
  for (const own of merge.rows) {
    for (const row of own) {
      for (const next of output.unwritten(row)) await output.write(next);
      if (writer.isFull) await writer.flush();
      await breath.take();
    }
  }
  const index = new PackIndexBuilder(table.count);
  for (let row = 0; row < table.count; row++) {
    index.add(table.id(row), table.crc[row] as number, output.offsets[row] as number);
    if (row % 1024 === 0) await breath.take();
  }
  const newest = table.packs.reduce((latest, pack) => Math.max(latest, pack.modified), 0);
  return await writer.finish({ renderIndex: (checksum) => index.finish(checksum), modified: new Date(newest), guard });
}

class MergedPack {
  readonly offsets: Float64Array;
  readonly #store: ObjectStore;
  readonly #table: MergeTable;
  readonly #writer: PackWriter;
  #reader: { pack: Pack; forward: ForwardReader } | undefined;

  constructor(store: ObjectStore, table: MergeTable, writer: PackWriter) {
    this.#store = store;
    this.#table = table;
    this.#writer = writer;
    this.offsets = new Float64Array(table.count);
  }

  /** The row and the bases that must be written before it, in order. */
  unwritten(row: number): number[] {
    const rows: number[] = [];
    for (let at = row; at !== NONE && this.offsets[at] === 0; at = this.#table.base[at] as number) rows.unshift(at);
    return rows;
  }

  async write(row: number): Promise<void> {
    const table = this.#table;
    const stored = this.#readStored(row);
    const base = table.base[row] as number;
    let parts: readonly Buffer[] | undefined;
    if (table.planned[row] === 1) parts = await this.#makeDelta(row, base, stored.length);
    else if (base !== NONE) parts = this.#moveDelta(row, base, stored);
    parts ??= (await this.#shrinkTree(row, stored.length)) ?? [stored];
    this.offsets[row] = this.#writer.offset;
    let crc = 0;
    for (const part of parts) {
      crc = crc32(part, crc);
      this.#writer.add(part);
    }
    table.crc[row] = crc;
  }

  /** The entry as it lies in its pack, checked against the index: damage must not be copied. */
  #readStored(row: number): Buffer {
    const pack = this.#packOf(row);
    if (this.#reader?.pack !== pack) this.#reader = { pack, forward: new ForwardReader(pack) };
    const offset = this.#table.offset[row] as number;
    const stored = this.#reader.forward.read(offset, (this.#table.end[row] as number) - offset);
    if (crc32(stored) === this.#table.crc[row]) return stored;
    throw damaged(this.#store.directory, `objects/pack/${pack.name}.pack`, `was changed at byte ${offset}`);
  }

  #moveDelta(row: number, base: number, stored: Buffer): Buffer[] {
    const header = encodeEntryHeader(ENTRY.offsetDelta, this.#table.size[row] as number, this.#distanceTo(base));
    return [header, stored.subarray(this.#table.header[row])];
  }

  /** Undefined when the delta would save too little to be worth following. */
  async #makeDelta(row: number, base: number, storedBytes: number): Promise<Buffer[] | undefined> {
    const before = this.#contentOf(base);
    const after = this.#contentOf(row);
    const delta = createDelta(before, after, after.length / 2);
    if (delta === undefined) return undefined;
    if (!isDeltaOf(before, delta, after)) throw new Error(`The delta of ${this.#table.id(row)} is wrong`);
    const body = await deflateSmall(delta);
    if (body.length > Math.min(storedBytes, after.length / 2) * 0.8) return undefined;
    return [encodeEntryHeader(ENTRY.offsetDelta, delta.length, this.#distanceTo(base)), body];
  }

  /** Windows store large trees without deflating them; one that stays whole is deflated now. */
  async #shrinkTree(row: number, storedBytes: number): Promise<Buffer[] | undefined> {
    const size = this.#table.size[row] as number;
    if (this.#table.type[row] !== ENTRY.tree || size < 1024 || storedBytes < size * 0.8) return undefined;
    return [encodeEntryHeader(ENTRY.tree, size), await deflateSmall(this.#contentOf(row))];
  }

  #distanceTo(base: number): number {
    return this.#writer.offset - (this.offsets[base] as number);
  }

  #contentOf(row: number): Buffer {
    return this.#store.readPacked(this.#packOf(row), this.#table.offset[row] as number).content;
  }

  #packOf(row: number): Pack {
    return this.#table.packs[this.#table.pack[row] as number] as Pack;
  }
}
