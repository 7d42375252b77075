import { createHash } from 'node:crypto';
import type { ObjectId } from './object-id.ts';

const MAGIC = 0xff744f63;
const HEADER = 8 + 256 * 4;
const TRAILER = 40;
const LARGE = 0x80000000;

/** Index version 2 (gitformat-pack), read in place. */
export class PackIndex {
  readonly count: number;
  readonly bytes: Buffer;

  /** Throws a RangeError when the bytes are no whole index of version 2. */
  constructor(bytes: Buffer) {
    if (bytes.length < HEADER + TRAILER || bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt32BE(4) !== 2) {
      throw new RangeError('Not a pack index of version 2');
    }
    this.bytes = bytes;
    this.count = this.fanout(255);
    if (bytes.length < HEADER + this.count * 28 + TRAILER) throw new RangeError('The pack index is cut short');
  }

  /** How many ids begin with this byte or a smaller one. */
  fanout(byte: number): number {
    return byte < 0 ? 0 : this.bytes.readUInt32BE(8 + byte * 4);
  }

  /** The position of an id (20 bytes), or -1. */
  find(id: Buffer): number {
    const first = id[0] as number;
    let low = this.fanout(first - 1);
    let high = this.fanout(first) - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const start = HEADER + middle * 20;
      const order = this.bytes.compare(id, 0, 20, start, start + 20);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  id(position: number): Buffer {
    return this.bytes.subarray(HEADER + position * 20, HEADER + position * 20 + 20);
  }

  crc(position: number): number {
    return this.bytes.readUInt32BE(HEADER + this.count * 20 + position * 4);
  }

  offset(position: number): number {
    const short = this.bytes.readUInt32BE(HEADER + this.count * 24 + position * 4);
    if (short < LARGE) return short;
    return Number(this.bytes.readBigUInt64BE(HEADER + this.count * 28 + (short - LARGE) * 8));
  }
}

/** Makes an index of rows that come sorted by id, without twins. */
export class PackIndexBuilder {
  readonly #count: number;
  readonly #bytes: Buffer;
  readonly #perByte = new Uint32Array(256);
  readonly #large: bigint[] = [];
  #position = 0;

  constructor(count: number) {
    this.#count = count;
    this.#bytes = Buffer.alloc(HEADER + count * 28);
    this.#bytes.writeUInt32BE(MAGIC, 0);
    this.#bytes.writeUInt32BE(2, 4);
  }

  add(id: ObjectId, crc: number, offset: number): void {
    const at = HEADER + this.#position * 20;
    this.#bytes.write(id, at, 'hex');
    const first = this.#bytes[at] as number;
    this.#perByte[first] = (this.#perByte[first] as number) + 1;
    this.#bytes.writeUInt32BE(crc, HEADER + this.#count * 20 + this.#position * 4);
    const short = offset < LARGE ? offset : LARGE + this.#large.push(BigInt(offset)) - 1;
    this.#bytes.writeUInt32BE(short, HEADER + this.#count * 24 + this.#position * 4);
    this.#position += 1;
  }

  /** `checksum` is the pack's. */
  finish(checksum: Buffer): Buffer {
    let sum = 0;
    for (let byte = 0; byte < 256; byte++) {
      sum += this.#perByte[byte] as number;
      this.#bytes.writeUInt32BE(sum, 8 + byte * 4);
    }
    const tail = Buffer.alloc(this.#large.length * 8);
    this.#large.forEach((offset, i) => {
      tail.writeBigUInt64BE(offset, i * 8);
    });
    const hash = createHash('sha1').update(this.#bytes).update(tail).update(checksum).digest();
    return Buffer.concat([this.#bytes, tail, checksum, hash]);
  }
}
