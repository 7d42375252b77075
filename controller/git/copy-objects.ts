import { crc32 } from 'node:zlib';
import { Breath } from './breathe.ts';
import { packEntry } from './deflate.ts';
import { LOOSE } from './known-objects.ts';
import { readAt } from './open-files.ts';
import type { Pack } from './open-pack.ts';
import { decodeEntryHeader, ENTRY, encodeEntryHeader } from './pack-format.ts';
import { PackIndexBuilder } from './pack-index.ts';
import { PackWriter } from './pack-writer.ts';
import type { SoundObjects } from './sound-objects.ts';

/** Copies sound objects into one new pack, durable when this resolves. Deltas are kept where their base is copied too. */
export async function copyObjects(objects: SoundObjects, rows: Uint32Array, packDirectory: string): Promise<void> {
  if (rows.length === 0) return;
  const copy = new PackCopy(objects, rows);
  const breath = new Breath();
  await using writer = await PackWriter.create(packDirectory, rows.length);
  for (let i = 0; i < rows.length; i++) {
    for (const part of copy.entry(i, writer.offset)) writer.add(part);
    if (writer.isFull) await writer.flush();
    await breath.take();
  }
  await writer.finish({ renderIndex: (checksum) => copy.renderIndex(checksum) });
}

class PackCopy {
  readonly #objects: SoundObjects;
  /** In the order of their old places, so that a base comes before its deltas. */
  readonly #rows: Uint32Array;
  /** Where each was written; 0 for not yet. */
  readonly #offsets: Float64Array;
  readonly #crcs: Uint32Array;

  constructor(objects: SoundObjects, rows: Uint32Array) {
    const { known } = objects;
    this.#objects = objects;
    this.#rows = rows.sort((a, b) => known.pack(a) - known.pack(b) || known.offset(a) - known.offset(b));
    this.#offsets = new Float64Array(rows.length);
    this.#crcs = new Uint32Array(rows.length);
  }

  /** The bytes of the entry that is to be written at `offset`. */
  entry(i: number, offset: number): readonly Buffer[] {
    const row = this.#rows[i] as number;
    this.#offsets[i] = offset;
    const parts = this.#storedEntry(row, offset) ?? this.#newEntry(row);
    this.#crcs[i] = parts.reduce((crc, part) => crc32(part, crc), 0);
    return parts;
  }

  renderIndex(checksum: Buffer): Buffer {
    const { known } = this.#objects;
    const order = Uint32Array.from(this.#rows.keys()).sort((a, b) =>
      known.compare(this.#rows[a] as number, this.#rows[b] as number),
    );
    const index = new PackIndexBuilder(order.length);
    for (const i of order) {
      index.add(known.id(this.#rows[i] as number), this.#crcs[i] as number, this.#offsets[i] as number);
    }
    return index.finish(checksum);
  }

  #newEntry(row: number): readonly Buffer[] {
    return packEntry(ENTRY[this.#objects.known.type(row)], this.#objects.read(row)).parts;
  }

  /** As it lies in its pack; undefined where that cannot stand in another one. */
  #storedEntry(row: number, offset: number): readonly Buffer[] | undefined {
    const { known } = this.#objects;
    const length = known.length(row);
    if (known.pack(row) === LOOSE || length === 0) return undefined;
    const pack = this.#objects.packs[known.pack(row)] as Pack;
    const stored = readAt(pack.file, known.offset(row), length);
    const header = decodeEntryHeader(stored, 0);
    if (header.type === ENTRY.referenceDelta) return undefined;
    if (header.type !== ENTRY.offsetDelta) return [stored];
    const base = this.#writtenAt(known.pack(row), known.offset(row) - header.distance);
    if (base === 0) return undefined;
    return [encodeEntryHeader(ENTRY.offsetDelta, header.size, offset - base), stored.subarray(header.length)];
  }

  /** Where the entry at this place went; 0 when it was not copied. */
  #writtenAt(pack: number, offset: number): number {
    const { known } = this.#objects;
    let [low, high] = [0, this.#rows.length - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const row = this.#rows[middle] as number;
      const order = known.pack(row) - pack || known.offset(row) - offset;
      if (order === 0) return this.#offsets[middle] as number;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return 0;
  }
}
