import type { Clock } from '../core/ports.ts';
import { dueAt, type WindowLimits } from '../core/window.ts';
import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';

/** Closes windows when they are due, a few repositories side by side and each one at a time. */

const SIDE_BY_SIDE = 4;

export class WindowCloser {
  readonly #spaces: Spaces;
  readonly #limits: WindowLimits;
  readonly #clock: Clock;
  readonly #close: (space: Space) => Promise<void>;
  readonly #fail: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #started = false;

  constructor(parts: {
    readonly spaces: Spaces;
    readonly limits: WindowLimits;
    readonly clock: Clock;
    readonly close: (space: Space) => Promise<void>;
    readonly fail: (error: unknown) => void;
  }) {
    this.#spaces = parts.spaces;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
    this.#close = parts.close;
    this.#fail = parts.fail;
  }

  /** Windows stay open until the first lists are complete: a half-read namespace is never committed. */
  start(): void {
    this.#started = true;
    this.touched();
  }

  /** Something was staged. */
  touched(): void {
    if (this.#started && this.#timer === undefined && this.#running === undefined) this.#arm();
  }

  /** Closes every open window now; for the end of a run. */
  async drain(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#started = false;
    await this.#running;
    await this.#closeAll(this.#spaces.all().filter((space) => space.pending.size > 0));
  }

  #arm(): void {
    const due = this.#earliest();
    if (due === undefined) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, due - this.#clock.monotonic()));
  }

  #run(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    const due = this.#spaces
      .all()
      .filter((space) => space.window !== undefined && dueAt(space.window, this.#limits) <= now);
    this.#running = this.#closeAll(due)
      .catch(this.#fail)
      .finally(() => {
        this.#running = undefined;
        this.touched();
      });
  }

  #earliest(): number | undefined {
    const dues = this.#spaces
      .all()
      .flatMap((space) => (space.window === undefined ? [] : [dueAt(space.window, this.#limits)]));
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  async #closeAll(due: readonly Space[]): Promise<void> {
    const left = [...due];
    const lane = async () => {
      for (let space = left.shift(); space !== undefined; space = left.shift()) await this.#close(space);
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  }
}
