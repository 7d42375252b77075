/** Counts who is at work with something, so that it is not taken away under them. */
export class Users {
  #count = 0;
  #gone: (() => void) | undefined;
  #isClosed = false;

  /** Nobody new is let in: whoever wanted to asks for what takes its place. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Must be called in the same step as `isClosed` is looked at; disposing leaves. */
  enter(): Disposable {
    this.#count++;
    return {
      [Symbol.dispose]: () => {
        this.#count--;
        if (this.#count === 0) this.#gone?.();
      },
    };
  }

  /** Lets nobody in any more and waits until all have left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#gone = resolve;
    });
  }
}
