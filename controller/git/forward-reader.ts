import { damaged } from './errors.ts';
import { readAt } from './open-files.ts';
import type { Pack } from './open-pack.ts';

const CHUNK = 256 * 1024;

/** Reads pieces of a pack that mostly follow each other, with one system call for many of them; a stray one is read alone. */
export class ForwardReader {
  readonly #pack: Pack;
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(pack: Pack) {
    this.#pack = pack;
  }

  /** At most `length` bytes, fewer at the end of the file. What was returned is never overwritten. */
  read(offset: number, length: number): Buffer {
    const { packBytes, file, name, repository } = this.#pack;
    if (offset >= packBytes) throw damaged(repository, `objects/pack/${name}.pack`, 'is cut short');
    const end = this.#start + this.#chunk.length;
    if (offset < this.#start || offset > end + CHUNK) return readAt(file, offset, length);
    if (offset + length > end) {
      this.#chunk = readAt(file, offset, Math.min(Math.max(CHUNK, length), packBytes - offset));
      this.#start = offset;
    }
    return this.#chunk.subarray(offset - this.#start, offset - this.#start + length);
  }
}
