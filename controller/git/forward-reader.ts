import { damaged } from './errors.ts';
import { readAt } from './open-files.ts';
import type { Pack } from './open-pack.ts';

const CHUNK = 512 * 1024;

/** Reads pieces of a pack that mostly follow each other, with one system call for many of them. */
export class ForwardReader {
  readonly #pack: Pack;
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(pack: Pack) {
    this.#pack = pack;
  }

  /** At most `length` bytes, fewer at the end of the file; valid until garbage collected, never overwritten. */
  read(offset: number, length: number): Buffer {
    if (offset >= this.#pack.packBytes)
      throw damaged(this.#pack.repository, `objects/pack/${this.#pack.name}.pack`, 'is cut short');
    if (offset < this.#start || offset + length > this.#start + this.#chunk.length) {
      this.#chunk = readAt(
        `${this.#pack.path}.pack`,
        offset,
        Math.min(Math.max(CHUNK, length), this.#pack.packBytes - offset),
      );
      this.#start = offset;
    }
    return this.#chunk.subarray(offset - this.#start, offset - this.#start + length);
  }
}
