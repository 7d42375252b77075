const FIRST = 4 * 1024;
const LARGEST = 256 * 1024;

/**
 * Bytes kept side by side in few large buffers, so that a window of many small blobs costs little more than their sum.
 * A buffer is freed when nothing points into it any more.
 */
export class Arena {
  #buffer = Buffer.alloc(0);
  #used = 0;
  #next = FIRST;

  /** Returns a copy that may be kept. */
  add(bytes: Buffer): Buffer {
    if (bytes.length > LARGEST / 4)
      return Buffer.from(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    if (this.#used + bytes.length > this.#buffer.length) this.#grow(bytes.length);
    const start = this.#used;
    this.#used += bytes.copy(this.#buffer, start);
    return this.#buffer.subarray(start, this.#used);
  }

  /** Begins anew, small again: what was handed out stays valid. */
  reset(): void {
    this.#buffer = Buffer.alloc(0);
    this.#used = 0;
    this.#next = FIRST;
  }

  #grow(needed: number): void {
    while (this.#next < needed) this.#next *= 2;
    this.#buffer = Buffer.allocUnsafeSlow(this.#next);
    this.#used = 0;
    this.#next = Math.min(this.#next * 2, LARGEST);
  }
}
