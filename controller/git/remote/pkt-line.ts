/** pkt-lines: four hexadecimal digits of length, their own included, then the content (gitprotocol-common). */

export const FLUSH: Buffer = Buffer.from('0000');

/** Larger ones are not sent by anybody: 65,520 with the length. */
export const LONGEST_LINE = 65_516;

export function pktLine(content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const length = (bytes.length + 4).toString(16).padStart(4, '0');
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** Reads lines from a stream of bytes as they come. A RangeError says that the bytes are none or end inside a line. */
export class PktLineReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The content of the next line, null for a flush, undefined where the bytes end between two lines. */
  async read(): Promise<Buffer | null | undefined> {
    const head = await this.#take(4);
    if (head.length === 0) return undefined;
    const text = head.toString('latin1');
    if (!/^[0-9a-fA-F]{4}$/.test(text)) throw new RangeError('A pkt-line begins without its length');
    const length = Number.parseInt(text, 16);
    if (length === 0) return null;
    if (length < 4 || length - 4 > LONGEST_LINE) throw new RangeError(`A pkt-line has the length ${length}`);
    const content = await this.#take(length - 4);
    if (content.length < length - 4) throw new RangeError('The bytes end inside a pkt-line');
    return content;
  }

  /** What follows the lines, for a pack that comes without a side band. */
  async *rest(): AsyncGenerator<Buffer> {
    if (this.#rest.length > 0) yield this.#rest;
    this.#rest = Buffer.alloc(0);
    for (let next = await this.#source.next(); next.done !== true; next = await this.#source.next())
      yield asBuffer(next.value);
  }

  /** Ends the stream where it is; must be called when it was not read to its end. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** Fewer at the end; nothing at all is an end between lines, less than four bytes is not. */
  async #take(count: number): Promise<Buffer> {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < count) {
      const next = await this.#source.next();
      if (next.done === true) break;
      parts.push(asBuffer(next.value));
      length += next.value.length;
    }
    const bytes = parts.length === 1 ? this.#rest : Buffer.concat(parts, length);
    this.#rest = bytes.subarray(Math.min(count, length));
    if (length > 0 && length < count && count === 4) throw new RangeError('The bytes end inside a pkt-line');
    return bytes.subarray(0, count);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
