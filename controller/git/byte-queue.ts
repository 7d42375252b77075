/** Bytes that arrive in pieces and are taken in others. Holds no more than was asked for, and one piece. */
export class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  #pieces: Buffer[] = [];
  #length = 0;
  #isEnded = false;
  /** What the source threw. */
  failure: { readonly error: unknown } | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Waits for at least so many bytes, or the end, and shows all that are there; they stay until they are dropped. */
  async fill(wanted: number): Promise<Buffer> {
    while (this.#length < wanted && !this.#isEnded) await this.#pull();
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces, this.#length)];
    return this.#pieces[0] as Buffer;
  }

  /** Removes bytes that `fill` has shown. */
  drop(count: number): void {
    const [first] = this.#pieces;
    this.#pieces = first === undefined ? [] : [first.subarray(count)];
    this.#length -= count;
  }

  /** Tells the source that nothing more is wanted. */
  async close(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#source.return?.();
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (done === true) this.#isEnded = true;
      else {
        this.#pieces.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
        this.#length += value.byteLength;
      }
    } catch (error) {
      this.#isEnded = true;
      this.failure = { error };
      throw error;
    }
  }
}
