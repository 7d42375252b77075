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

  /** Returns a copy of the parts, joined, that may be kept. */
  add(parts: readonly Buffer[], length: number): Buffer {
    const place = this.#reserve(length);
    let filled = 0;
    for (const part of parts) filled += part.copy(place, filled);
    return place;
  }

  /** Begins anew, small again: what was handed out stays valid. */
  reset(): void {
    this.#buffer = Buffer.alloc(0);
    this.#used = 0;
    this.#next = FIRST;
  }

  #reserve(length: number): Buffer {
    if (length > LARGEST / 4) return Buffer.allocUnsafeSlow(length);
    if (this.#used + length > this.#buffer.length) this.#grow(length);
    this.#used += length;
    return this.#buffer.subarray(this.#used - length, this.#used);
  }

  #grow(needed: number): void {
    while (this.#next < needed) this.#next *= 2;
    this.#buffer = Buffer.allocUnsafeSlow(this.#next);
    this.#used = 0;
    this.#next = Math.min(this.#next * 2, LARGEST);
  }
}
