/** Work that writes and is under way, so that somebody can see when it stands still. No clock of its own: the time is asked for. */

/** One piece of work; disposing ends it. */
export interface Work extends Disposable {
  /** It has come further: long work that moves is not stuck. */
  step(): void;
}

/** Begins a piece of work; `what` names it for people ('commit of shop'). */
export type BeginWork = (what: string) => Work;

export interface Standstill {
  readonly what: string;
  /** Since it began or last came further. */
  readonly ms: number;
}

export class Works {
  readonly #now: () => number;
  readonly #running = new Map<object, { readonly what: string; since: number }>();

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  readonly begin: BeginWork = (what) => {
    const key = {};
    const entry = { what, since: this.#now() };
    this.#running.set(key, entry);
    return {
      step: () => {
        entry.since = this.#now();
      },
      [Symbol.dispose]: () => void this.#running.delete(key),
    };
  };

  get count(): number {
    return this.#running.size;
  }

  /** What has stood still the longest; undefined when nothing is under way. */
  standstill(): Standstill | undefined {
    const now = this.#now();
    let longest: Standstill | undefined;
    for (const { what, since } of this.#running.values()) {
      if (longest === undefined || now - since > longest.ms) longest = { what, ms: now - since };
    }
    return longest;
  }
}
