/** Answers that only explain are waited for as long as they take, but not when everything ends. */
export class StopPatience {
  readonly #over = new AbortController();

  /** `ms` after the signal nothing is waited for any more. */
  constructor(stop: AbortSignal, ms: number) {
    const begin = () => void setTimeout(() => this.#over.abort(), ms).unref();
    if (stop.aborted) begin();
    else stop.addEventListener('abort', begin, { once: true });
  }

  /** Undefined when the time is over before the answer. */
  async within<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#over;
    if (signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const give = () => resolve(undefined);
    signal.addEventListener('abort', give);
    try {
      return await Promise.race([ask(), promise]);
    } finally {
      signal.removeEventListener('abort', give);
    }
  }
}
