import type { Breath } from './breathe.ts';
import { ForwardReader } from './forward-reader.ts';
import { MergeTable, NONE } from './merge-table.ts';
import { indexOf, type Pack } from './open-pack.ts';
import { decodeEntryHeader, ENTRY, MAX_HEADER } from './pack-format.ts';
import type { PackIndex } from './pack-index.ts';

export interface Merge {
  readonly table: MergeTable;
  /** The rows of each pack by offset. */
  readonly rows: readonly Uint32Array[];
  /** Whether a pack holds deltas, as only consolidated packs do. */
  readonly hasDeltas: readonly boolean[];
}

/** Reads the indexes of the packs and the header of every entry, oldest pack first. */
export async function readMergeTable(packs: readonly Pack[], breath: Breath): Promise<Merge> {
  const indexes = packs.map(indexOf);
  const table = new MergeTable(
    packs,
    indexes.reduce((sum, index) => sum + index.count, 0),
  );
  for (let byte = 0; byte < 256; byte++) {
    table.fill(byte, indexes);
    await breath.take();
  }
  const rows: Uint32Array[] = [];
  const hasDeltas: boolean[] = [];
  for (const [number, index] of indexes.entries()) {
    const own = await readHeaders(table, number, index, breath);
    rows.push(own.rows);
    hasDeltas.push(own.hasDeltas);
  }
  measureHeights(table, rows);
  return { table, rows, hasDeltas };
}

async function readHeaders(table: MergeTable, number: number, index: PackIndex, breath: Breath) {
  const pack = table.packs[number] as Pack;
  const places = placesByOffset(index);
  const all = Uint32Array.from(places.positions, (position) => table.rowOf(index.id(position)));
  const reader = new ForwardReader(pack);
  let hasDeltas = false;
  for (const [i, row] of all.entries()) {
    if (table.pack[row] !== number) continue;
    const offset = places.offsets[i] as number;
    const header = decodeEntryHeader(reader.read(offset, MAX_HEADER), 0);
    table.type[row] = header.type;
    table.size[row] = header.size;
    table.header[row] = header.length;
    table.end[row] = places.offsets[i + 1] ?? pack.packBytes - 20;
    if (header.type === ENTRY.offsetDelta)
      table.base[row] = all[search(places.offsets, offset - header.distance)] ?? NONE;
    else if (header.baseId !== undefined) table.base[row] = table.rowOf(Buffer.from(header.baseId, 'hex'));
    hasDeltas ||= table.base[row] !== NONE;
    await breath.take();
  }
  return { rows: all.filter((row) => table.pack[row] === number), hasDeltas };
}

/** Offset and position share a double exactly: packs of 2 GiB and more are never merged. */
function placesByOffset(index: PackIndex): { offsets: Float64Array; positions: Uint32Array } {
  const { count } = index;
  const keys = Float64Array.from({ length: count }, (_, position) => index.offset(position) * count + position).sort();
  return {
    offsets: keys.map((key) => Math.floor(key / count)),
    positions: Uint32Array.from(keys, (key) => key % count),
  };
}

function search(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value ? low : -1;
}

/** A base lies before its deltas, so one pass from the end settles all. */
function measureHeights(table: MergeTable, rows: readonly Uint32Array[]): void {
  for (const own of rows.toReversed()) {
    for (const row of own.toReversed()) {
      const base = table.base[row] as number;
      if (base !== NONE) table.height[base] = Math.max(table.height[base] as number, (table.height[row] as number) + 1);
    }
  }
}
