import type { ObjectId } from '../object-id.ts';
import { indexOf, type Pack } from '../open-pack.ts';
import type { PackIndex } from '../pack-index.ts';

const TRAILER = 20;

/** The entries of one pack in the order in which they lie there. */
export class PackOffsets {
  readonly #index: PackIndex;
  /** Ascending; the last is where the entries end. */
  readonly #offsets: Float64Array;
  /** In the index, of the entry at each offset. */
  readonly #positions: Uint32Array;

  constructor(pack: Pack) {
    this.#index = indexOf(pack);
    const { count } = this.#index;
    const offsets = Float64Array.from({ length: count }, (_, position) => this.#index.offset(position));
    this.#positions = sortedPositions(offsets);
    this.#offsets = new Float64Array(count + 1).fill(pack.packBytes - TRAILER);
    for (let i = 0; i < count; i++) this.#offsets[i] = offsets[this.#positions[i] as number] as number;
  }

  /** Where the entry that begins at `offset` ends. */
  endOf(offset: number): number {
    return this.#offsets[this.#find(offset) + 1] as number;
  }

  /** The object whose entry begins at `offset`; undefined when none does. */
  idAt(offset: number): ObjectId | undefined {
    const found = this.#find(offset);
    if (this.#offsets[found] !== offset || found === this.#index.count) return undefined;
    return this.#index.id(this.#positions[found] as number).toString('hex');
  }

  #find(offset: number): number {
    let low = 0;
    let high = this.#offsets.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Offset and position share a double, which sorts ten times as fast as a comparison of two arrays; only a huge pack has no room for both. */
function sortedPositions(offsets: Float64Array): Uint32Array {
  const count = offsets.length;
  const largest = offsets.reduce((most, offset) => Math.max(most, offset), 0);
  if (largest * count > Number.MAX_SAFE_INTEGER) {
    return Uint32Array.from(offsets.keys()).sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
  }
  return Uint32Array.from(offsets.map((offset, position) => offset * count + position).sort(), (key) => key % count);
}
