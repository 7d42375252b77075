import type { Timer } from '../../controller/archive/publish-timer.ts';
import type { Clock } from '../../controller/core/ports.ts';

/** A clock and its timers, moved by the test: a day passes as fast as what happens in it. */
export class ScriptedTime implements Clock, Timer {
  #now = 1000;
  /** Of the wall clock; may be moved on its own. */
  wallOffset = Date.UTC(2026, 0, 1);
  readonly #timers = new Map<object, { readonly at: number; readonly fire: () => void }>();
  /** Resolves when everything that was begun has ended or waits for time to pass. */
  settle: () => Promise<void> = async () => undefined;

  wall(): number {
    return this.wallOffset + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  start(ms: number, fire: () => void): () => void {
    const key = {};
    this.#timers.set(key, { at: this.#now + Math.max(0, ms), fire });
    return () => void this.#timers.delete(key);
  }

  /** Lets the time pass, timer by timer. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await this.settle();
    }
    this.#now = until;
  }

  /** Until the condition holds; throws after so much time. Answers how much passed. */
  async advanceUntil(what: string, holds: () => boolean, atMostMs: number): Promise<number> {
    const began = this.#now;
    await this.settle();
    while (!holds()) {
      const next = this.#next(began + atMostMs);
      if (next === undefined) throw new Error(`waited ${atMostMs} ms for ${what}`);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await this.settle();
    }
    return this.#now - began;
  }

  #next(until: number): { readonly at: number; readonly fire: () => void } | undefined {
    let first: [object, { readonly at: number; readonly fire: () => void }] | undefined;
    for (const entry of this.#timers) if (first === undefined || entry[1].at < first[1].at) first = entry;
    if (first === undefined || first[1].at > until) return undefined;
    this.#timers.delete(first[0]);
    return first[1];
  }
}
