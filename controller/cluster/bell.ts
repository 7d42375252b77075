/** Wakes one waiter; a ring while nobody waits is kept for the next one. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Forgets a ring that was kept. */
  mute(): void {
    this.#isRung = false;
  }

  /** True when rung; false after `ms`, or when the signal is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isRung && !signal.aborted) await this.#sleep(ms, signal);
    const wasRung = this.#isRung;
    this.#isRung = false;
    return wasRung;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    const stop = () => resolve();
    signal.addEventListener('abort', stop);
    await promise;
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
