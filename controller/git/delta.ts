import { commonPrefix, commonSuffix } from './common-bytes.ts';

/**
 * Git's delta encoding (gitformat-pack, "Deltified representation"): copy a run of the base, or insert literal bytes.
 * The maker indexes the base in blocks, so moved text is found; equal beginnings and ends cost one memory comparison.
 */

const BLOCK = 16;
const MAX_COPY = 0xffffff;
const MAX_INSERT = 127;

/** A delta that makes `target` of `base`, or undefined when it would be longer than `limit` bytes. */
export function createDelta(base: Buffer, target: Buffer, limit: number): Buffer | undefined {
  const writer = new DeltaWriter(base.length, target, limit);
  const prefix = commonPrefix(base, target);
  const suffix = Math.min(commonSuffix(base, target), Math.min(base.length, target.length) - prefix);
  writer.copy(0, prefix);
  const end = target.length - suffix;
  if (end - prefix >= BLOCK * 2 && base.length >= BLOCK) copyBlocks(writer, base, target, prefix, end);
  writer.insertUpTo(end);
  writer.copy(base.length - suffix, suffix);
  return writer.finish();
}

function copyBlocks(writer: DeltaWriter, base: Buffer, target: Buffer, start: number, end: number): void {
  const index = new BlockIndex(base);
  let at = start;
  while (at + BLOCK <= end && !writer.isOver) {
    const found = index.find(target, at);
    if (found < 0) {
      at += 1;
      continue;
    }
    let back = 0;
    while (back < found && at - back > writer.position && base[found - back - 1] === target[at - back - 1]) back += 1;
    const length = Math.min(commonPrefix(base, target, found + BLOCK, at + BLOCK) + BLOCK, end - at);
    writer.insertUpTo(at - back);
    writer.copy(found - back, length + back);
    at += length;
  }
}

/** Used by one index at a time: making deltas is synchronous. */
let slots = new Int32Array(4096);

class BlockIndex {
  readonly #base: Buffer;
  readonly #slots: Int32Array;
  readonly #mask: number;
  /** Where the next match is likely: text that was copied goes on behind the copy, a little further after an edit. */
  #expected = 0;

  constructor(base: Buffer) {
    let size = 64;
    while (size < base.length / BLOCK) size *= 2;
    this.#base = base;
    this.#mask = size * 2 - 1;
    if (slots.length < size * 2) slots = new Int32Array(size * 2);
    this.#slots = slots.fill(-1, 0, size * 2);
    for (let at = 0; at + BLOCK <= base.length; at += BLOCK) {
      const slot = hashBlock(base, at) & this.#mask;
      if (this.#slots[slot] === -1) this.#slots[slot] = at;
    }
  }

  find(target: Buffer, at: number): number {
    const aligned = this.#expected + at;
    if (aligned >= 0 && this.#isEqual(aligned, target, at)) return aligned;
    const candidate = this.#slots[hashBlock(target, at) & this.#mask] as number;
    if (candidate < 0 || !this.#isEqual(candidate, target, at)) return -1;
    this.#expected = candidate - at;
    return candidate;
  }

  #isEqual(position: number, target: Buffer, at: number): boolean {
    const base = this.#base;
    if (position + BLOCK > base.length) return false;
    for (let i = 0; i < BLOCK; i++) if (base[position + i] !== target[at + i]) return false;
    return true;
  }
}

function hashBlock(bytes: Buffer, at: number): number {
  let hash = 0;
  for (let i = at; i < at + BLOCK; i++) hash = Math.imul(hash, 0x01000193) ^ (bytes[i] as number);
  return hash ^ (hash >>> 15);
}

class DeltaWriter {
  readonly #target: Buffer;
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  /** Everything of the target before this is written. */
  position = 0;

  constructor(baseLength: number, target: Buffer, limit: number) {
    this.#target = target;
    this.#limit = limit;
    this.#push(Buffer.from([...encodeSize(baseLength), ...encodeSize(target.length)]));
  }

  get isOver(): boolean {
    return this.#length > this.#limit;
  }

  copy(offset: number, length: number): void {
    this.position += length;
    for (let done = 0; done < length; done += MAX_COPY)
      this.#push(encodeCopy(offset + done, Math.min(MAX_COPY, length - done)));
  }

  insertUpTo(end: number): void {
    while (this.position < end) {
      const count = Math.min(MAX_INSERT, end - this.position);
      this.#push(Buffer.from([count]));
      this.#push(this.#target.subarray(this.position, this.position + count));
      this.position += count;
      if (this.isOver) this.position = end;
    }
  }

  finish(): Buffer | undefined {
    return this.isOver ? undefined : Buffer.concat(this.#parts, this.#length);
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

function encodeSize(size: number): number[] {
  const bytes: number[] = [];
  let rest = size;
  while (rest > 127) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function encodeCopy(offset: number, length: number): Buffer {
  const bytes = [0x80];
  let op = 0x80;
  for (let i = 0; i < 4; i++) {
    const byte = (offset >>> (8 * i)) & 0xff;
    if (byte !== 0) {
      op |= 1 << i;
      bytes.push(byte);
    }
  }
  for (let i = 0; i < 3; i++) {
    const byte = (length >>> (8 * i)) & 0xff;
    if (byte !== 0) {
      op |= 0x10 << i;
      bytes.push(byte);
    }
  }
  bytes[0] = op;
  return Buffer.from(bytes);
}
