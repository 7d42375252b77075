import type { Clock } from '../core/ports.ts';
import { dueAt, type WindowLimits } from '../core/window.ts';
import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';
import type { Storage } from './storage.ts';

/** Closes windows when they are due, a few repositories side by side and each one at a time. */

const SIDE_BY_SIDE = 4;

export class WindowCloser {
  readonly #spaces: Spaces;
  readonly #limits: WindowLimits;
  readonly #clock: Clock;
  readonly #close: (space: Space) => Promise<void>;
  readonly #storage: Storage;
  readonly #fail: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #started = false;

  constructor(parts: {
    readonly spaces: Spaces;
    readonly limits: WindowLimits;
    readonly clock: Clock;
    readonly close: (space: Space) => Promise<void>;
    readonly storage: Storage;
    readonly fail: (error: unknown) => void;
  }) {
    this.#spaces = parts.spaces;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
    this.#close = parts.close;
    this.#storage = parts.storage;
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

  /** Closes the window of this repository now, as if it were due; beside nothing else that is being closed. */
  async closeNow(space: Space): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (!this.#started || space.window === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#runNow([space]);
    await this.#running;
  }

  /** Closes every open window now, once; for the end of a run. Throws when one cannot be written. */
  async drain(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#started = false;
    await this.#running;
    await this.#closeAll(
      this.#spaces.all().filter((space) => space.window !== undefined && !space.line.isIncomplete),
      this.#close,
    );
  }

  #arm(): void {
    const due = this.#earliest();
    if (due === undefined) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, due - this.#clock.monotonic()));
  }

  #run(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    this.#runNow(this.#spaces.all().filter((space) => (this.#dueAt(space) ?? Number.POSITIVE_INFINITY) <= now));
  }

  #runNow(due: readonly Space[]): void {
    this.#running = this.#closeAll(due, (space) => this.#closeOrRetry(space))
      .catch(this.#fail)
      .finally(() => {
        this.#running = undefined;
        this.touched();
      });
  }

  #earliest(): number | undefined {
    let earliest: number | undefined;
    for (const space of this.#spaces.all()) {
      const due = this.#dueAt(space);
      if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due;
    }
    return earliest;
  }

  #dueAt(space: Space): number | undefined {
    if (space.window === undefined || space.line.isIncomplete) return undefined;
    return Math.max(dueAt(space.window, this.#limits), space.retryAt ?? 0);
  }

  /** A repository whose disk takes nothing is tried again later; the others go on. */
  async #closeOrRetry(space: Space): Promise<void> {
    space.retryAt = undefined;
    try {
      await this.#close(space);
      this.#storage.succeeded(space.name);
    } catch (error) {
      space.retryAt = this.#clock.monotonic() + this.#storage.failed(space.name, error);
    }
  }

  async #closeAll(due: readonly Space[], close: (space: Space) => Promise<void>): Promise<void> {
    const left = [...due];
    const lane = async () => {
      for (let space = left.shift(); space !== undefined; space = left.shift()) await close(space);
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  }
}
