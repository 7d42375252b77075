import { NONE } from './merge-table.ts';

const FIRST = 1024;

/** The entries of a pack that is being received, in the order in which they came, in columns: some fifty bytes each. */
export class ReceivedEntries {
  count = 0;
  /** Twenty bytes each; nought until it is known. */
  ids: Buffer = Buffer.alloc(FIRST * 20);
  offset = new Float64Array(FIRST);
  crc = new Uint32Array(FIRST);
  /** As in the pack; deltas included. */
  type = new Uint8Array(FIRST);
  /** Of the inflated content; of the delta for a delta. */
  size = new Float64Array(FIRST);
  /** Bytes up to the zlib stream. */
  header = new Uint8Array(FIRST);
  /** The entry that this one is a delta of, or NONE. */
  base = new Int32Array(FIRST);
  /** 1 once its id is known. */
  isKnown = new Uint8Array(FIRST);
  /** Where the last entry ends. */
  end = 0;

  add(entry: { offset: number; crc: number; type: number; size: number; header: number; base: number }): number {
    const row = this.count++;
    if (row === this.offset.length) this.#grow();
    this.offset[row] = entry.offset;
    this.crc[row] = entry.crc;
    this.type[row] = entry.type;
    this.size[row] = entry.size;
    this.header[row] = entry.header;
    this.base[row] = entry.base;
    return row;
  }

  setId(row: number, id: Buffer): void {
    id.copy(this.ids, row * 20);
    this.isKnown[row] = 1;
  }

  id(row: number): string {
    return this.ids.toString('hex', row * 20, row * 20 + 20);
  }

  endOf(row: number): number {
    return row + 1 < this.count ? (this.offset[row + 1] as number) : this.end;
  }

  /** The entry that begins exactly there, or NONE. */
  rowAt(offset: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.offset[middle] as number;
      if (found === offset) return middle;
      if (found < offset) low = middle + 1;
      else high = middle - 1;
    }
    return NONE;
  }

  /** Rows in the order of their ids. */
  sorted(): Uint32Array {
    const { ids } = this;
    return Uint32Array.from({ length: this.count }, (_, row) => row).sort((a, b) =>
      ids.compare(ids, b * 20, b * 20 + 20, a * 20, a * 20 + 20),
    );
  }

  #grow(): void {
    const size = this.offset.length * 2;
    this.ids = Buffer.concat([this.ids], size * 20);
    this.offset = grown(this.offset, new Float64Array(size));
    this.crc = grown(this.crc, new Uint32Array(size));
    this.type = grown(this.type, new Uint8Array(size));
    this.size = grown(this.size, new Float64Array(size));
    this.header = grown(this.header, new Uint8Array(size));
    this.base = grown(this.base, new Int32Array(size));
    this.isKnown = grown(this.isKnown, new Uint8Array(size));
  }
}

function grown<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
