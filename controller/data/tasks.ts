/** Work that goes on beside everything else, so that somebody can wait for its end. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();
  readonly #fail: (error: unknown) => void;

  /** `fail`: what nobody waited out. */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  /** Resolves with its end; never rejects. */
  run(work: () => Promise<void>): Promise<void> {
    const task = work()
      .catch(this.#fail)
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
    return task;
  }

  /** Until nothing is under way, what begins meanwhile included. */
  async settle(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    signal.addEventListener('abort', stop);
    while (this.#running.size > 0 && !signal.aborted) await Promise.race([stopped.promise, Promise.all(this.#running)]);
    signal.removeEventListener('abort', stop);
  }
}
