import type { Pack } from './open-pack.ts';
import type { PackIndex } from './pack-index.ts';

export const NONE = -1;

/**
 * The objects of the packs to merge, in columns: some sixty bytes each. A row's number is the rank of its id. Of twins
 * the copy in the oldest pack counts, so a chain of deltas only ever leads to older packs and cannot bite its tail.
 */
export class MergeTable {
  readonly packs: readonly Pack[];
  count = 0;
  readonly ids: Buffer;
  readonly pack: Uint16Array;
  readonly offset: Float64Array;
  readonly end: Float64Array;
  readonly crc: Uint32Array;
  /** As in the pack; deltas included. */
  readonly type: Uint8Array;
  /** Bytes of the inflated content; of the delta for a delta. */
  readonly size: Float64Array;
  /** Bytes up to the zlib stream. */
  readonly header: Uint8Array;
  /** The row that this one is a delta of, or NONE. */
  readonly base: Int32Array;
  /** 1 where the base was found now and the delta is still to be made. */
  readonly planned: Uint8Array;
  /** How many deltas at most lie on top of this row. */
  readonly height: Uint16Array;
  readonly #fanout = new Uint32Array(257);

  /** `capacity`: as many rows as there can be. */
  constructor(packs: readonly Pack[], capacity: number) {
    this.packs = packs;
    this.ids = Buffer.alloc(capacity * 20);
    this.pack = new Uint16Array(capacity);
    this.offset = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.crc = new Uint32Array(capacity);
    this.type = new Uint8Array(capacity);
    this.size = new Float64Array(capacity);
    this.header = new Uint8Array(capacity);
    this.base = new Int32Array(capacity).fill(NONE);
    this.planned = new Uint8Array(capacity);
    this.height = new Uint16Array(capacity);
  }

  id(row: number): string {
    return this.ids.toString('hex', row * 20, row * 20 + 20);
  }

  /** The row of an id (20 bytes), or NONE. */
  rowOf(id: Buffer): number {
    const first = id[0] as number;
    let low = this.#fanout[first] as number;
    let high = (this.#fanout[first + 1] as number) - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = this.ids.compare(id, 0, 20, middle * 20, middle * 20 + 20);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return NONE;
  }

  /** Takes in every id that begins with `byte`; to be called for all bytes in turn. */
  fill(byte: number, indexes: readonly PackIndex[]): void {
    const places: { id: Buffer; pack: number; position: number }[] = [];
    indexes.forEach((index, pack) => {
      const end = index.fanout(byte);
      for (let position = index.fanout(byte - 1); position < end; position++) {
        places.push({ id: index.id(position), pack, position });
      }
    });
    places.sort((a, b) => a.id.compare(b.id) || a.pack - b.pack);
    let previous: Buffer | undefined;
    for (const { id, pack, position } of places) {
      if (previous?.equals(id)) continue;
      const index = indexes[pack] as PackIndex;
      const row = this.count++;
      id.copy(this.ids, row * 20);
      this.pack[row] = pack;
      this.offset[row] = index.offset(position);
      this.crc[row] = index.crc(position);
      previous = id;
    }
    this.#fanout[byte + 1] = this.count;
  }
}
