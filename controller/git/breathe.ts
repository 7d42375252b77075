import { setImmediate } from 'node:timers/promises';

const SLICE_MS = 8;

/** Lets long work give way to the rest of the process: call it often, it returns at once unless a slice is used up. */
export class Breath {
  readonly #onStep: (() => void) | undefined;
  #until = performance.now() + SLICE_MS;

  /** `onStep` is called with each breath that is taken: the work moves. */
  constructor(onStep?: () => void) {
    this.#onStep = onStep;
  }

  get isDue(): boolean {
    return performance.now() >= this.#until;
  }

  async take(): Promise<void> {
    if (!this.isDue) return;
    this.#onStep?.();
    await setImmediate();
    this.#until = performance.now() + SLICE_MS;
  }
}
