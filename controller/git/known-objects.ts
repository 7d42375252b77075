import type { ObjectId, ObjectType } from './object-id.ts';

/** Of an object that lies in a file of its own instead of in a pack. */
export const LOOSE = 0xffff;
export const UNKNOWN = -1;

const ID_BYTES = 20;
const TYPES: readonly ObjectType[] = ['commit', 'tree', 'blob', 'tag'];

/**
 * Objects by id, with where they lie, in columns: some fifty bytes each, so that a repository of any size can be looked at as
 * a whole. A row's number stays what it is; ids are hashed already, so their first bytes choose the slot.
 */
export class KnownObjects {
  count = 0;
  /** For whoever walks: one byte per row, bits of his own. */
  marks = new Uint8Array(1024);
  #ids: Buffer = Buffer.alloc(1024 * ID_BYTES);
  #types = new Uint8Array(1024);
  #packs = new Uint16Array(1024);
  #offsets = new Float64Array(1024);
  #lengths = new Float64Array(1024);
  /** Row + 1, or 0 where the slot is free. */
  #slots = new Int32Array(4096);

  /** Adds an object, or gives one that is known its new place. `length` is that of its entry in the pack, 0 where the bytes of that must not be copied. */
  put(id: Buffer, object: { type: ObjectType; pack: number; offset: number; length: number }): number {
    if (this.count === this.#types.length) this.#grow();
    const slot = this.#slotOf(id, 0);
    const known = this.#slots[slot] as number;
    const row = known === 0 ? this.count++ : known - 1;
    if (known === 0) {
      id.copy(this.#ids, row * ID_BYTES, 0, ID_BYTES);
      this.#slots[slot] = row + 1;
    }
    this.#types[row] = TYPES.indexOf(object.type);
    this.#packs[row] = object.pack;
    this.#offsets[row] = object.offset;
    this.#lengths[row] = object.length;
    return row;
  }

  /** The row of the id that stands in `bytes` at `start`, or UNKNOWN. */
  rowAt(bytes: Buffer, start = 0): number {
    return (this.#slots[this.#slotOf(bytes, start)] as number) - 1;
  }

  rowOf(id: ObjectId): number {
    return this.rowAt(Buffer.from(id, 'hex'));
  }

  id(row: number): ObjectId {
    return this.#ids.toString('hex', row * ID_BYTES, (row + 1) * ID_BYTES);
  }

  /** The order of the ids. */
  compare(left: number, right: number): number {
    const [own, other] = [left * ID_BYTES, right * ID_BYTES];
    return this.#ids.compare(this.#ids, other, other + ID_BYTES, own, own + ID_BYTES);
  }

  type(row: number): ObjectType {
    return TYPES[this.#types[row] as number] as ObjectType;
  }

  /** The number that `put` was given, or LOOSE. */
  pack(row: number): number {
    return this.#packs[row] as number;
  }

  offset(row: number): number {
    return this.#offsets[row] as number;
  }

  length(row: number): number {
    return this.#lengths[row] as number;
  }

  #slotOf(bytes: Buffer, start: number): number {
    const mask = this.#slots.length - 1;
    const ids = this.#ids;
    for (let slot = hashAt(bytes, start) & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] as number) - 1;
      if (row < 0) return slot;
      if (isSame(ids, row * ID_BYTES, bytes, start)) return slot;
    }
  }

  #grow(): void {
    const capacity = this.#types.length * 2;
    this.#ids = Buffer.concat([this.#ids], capacity * ID_BYTES);
    const marks = new Uint8Array(capacity);
    marks.set(this.marks);
    this.marks = marks;
    const types = new Uint8Array(capacity);
    types.set(this.#types);
    this.#types = types;
    const packs = new Uint16Array(capacity);
    packs.set(this.#packs);
    this.#packs = packs;
    const [offsets, lengths] = [new Float64Array(capacity), new Float64Array(capacity)];
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#slots = new Int32Array(capacity * 4);
    for (let row = 0; row < this.count; row++) this.#slots[this.#slotOf(this.#ids, row * ID_BYTES)] = row + 1;
  }
}

/** Asked some ten million times for a long history: a loop is quicker than a call into the runtime. */
function isSame(ids: Buffer, at: number, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < ID_BYTES; i++) if (ids[at + i] !== bytes[start + i]) return false;
  return true;
}

function hashAt(bytes: Buffer, start: number): number {
  const high = ((bytes[start + 3] as number) << 24) | ((bytes[start + 2] as number) << 16);
  return high | ((bytes[start + 1] as number) << 8) | (bytes[start] as number);
}
