import type { Silence } from './silence.ts';

/** Bodies up to this size are sent with their length: not every server takes chunks. */
const WITH_LENGTH = 1024 * 1024;

/** The request's body; tells time taken by the remote from time taken by ourselves. */
export class Upload {
  readonly #source: AsyncIterator<Uint8Array> | undefined;
  readonly #silence: Silence;
  readonly #silenceMs: number;
  /** What the source threw; nobody else is to blame for it. */
  failure: { readonly error: unknown } | undefined;

  constructor(source: AsyncIterable<Uint8Array> | undefined, silence: Silence, silenceMs: number) {
    this.#source = source?.[Symbol.asyncIterator]();
    this.#silence = silence;
    this.#silenceMs = silenceMs;
  }

  /** Small bodies whole, with their length; larger ones as a stream. */
  async open(): Promise<{ readonly body: Buffer | AsyncGenerator<Uint8Array> | null; readonly length?: number }> {
    if (this.#source === undefined) return { body: null };
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length <= WITH_LENGTH) {
      const part = await this.#next(this.#source);
      if (part === undefined) return { body: Buffer.concat(parts), length };
      parts.push(part);
      length += part.length;
    }
    return { body: this.#stream(parts, this.#source) };
  }

  /** Nobody takes more of it: its source can let go of what it holds. What it says to that is of no more use. */
  abandon(): void {
    this.#source?.return?.().catch(() => undefined);
  }

  async *#stream(parts: readonly Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for (const part of parts) yield* this.#give(part);
      for (let part = await this.#next(source); part !== undefined; part = await this.#next(source))
        yield* this.#give(part);
    } finally {
      this.#silence.sent();
      await source.return?.();
    }
  }

  /** It is taken once the connection has room for more. */
  *#give(part: Uint8Array): Generator<Uint8Array> {
    this.#silence.sending(this.#silenceMs);
    yield part;
    this.#silence.taken();
  }

  async #next(source: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      const next = await source.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
