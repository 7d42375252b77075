import {
  type Candidate,
  decide,
  type ElectionTimings,
  isLeading,
  type Lesson,
  learn,
  type Move,
  newCandidate,
  resign,
} from '../core/election.ts';
import type { Clock, LeaseRecord, LeaseStore } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';

export interface CandidacyOptions {
  /** Of this process alone: one that starts again has another. */
  readonly identity: string;
  /** client-go's when left out. */
  readonly timings?: ElectionTimings;
  /** Hears of each failure that is tried again, and after how many milliseconds at most. */
  readonly onRetry?: (error: KeeperError, ms: number) => void;
}

const RELEASE_TRIES = 3;

/** One replica's part in the election: carries the moves of core/election.ts out at the Lease and remembers what it learnt. */
export class Candidacy {
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #onRetry: NonNullable<CandidacyOptions['onRetry']>;
  #candidate: Candidate;
  #failure: KeeperError | undefined;
  #mayHold = false;

  constructor(store: LeaseStore, clock: Clock, options: CandidacyOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#onRetry = options.onRetry ?? (() => undefined);
    this.#candidate = newCandidate(options.identity, options.timings);
  }

  get identity(): string {
    return this.#candidate.identity;
  }

  get timings(): ElectionTimings {
    return this.#candidate.timings;
  }

  /** Who holds the Lease as far as is known; '' when nobody does, or we. */
  get otherHolder(): string {
    const holder = this.#candidate.record?.holder ?? '';
    return holder === this.identity ? '' : holder;
  }

  /** Of the running term; undefined before it and after it was given up. */
  get epoch(): number | undefined {
    return this.#candidate.term?.epoch;
  }

  /** Why the Lease could not be asked last; undefined when it could. */
  get failure(): KeeperError | undefined {
    return this.#failure;
  }

  /** By the clock, at this very moment: also when nothing could run since the last renewal. */
  isLeading(): boolean {
    return isLeading(this.#candidate, this.#clock.monotonic());
  }

  /** How long until leadership ends unless it is renewed; 0 when it has. */
  msLeft(): number {
    return Math.max(0, (this.#candidate.term?.until ?? 0) - this.#clock.monotonic());
  }

  /**
   * Carries one move out. Failures are lessons, but for a refusal before we ever led: that one is thrown, since somebody must
   * change something. Aborting throws the signal's reason; what was sent may have arrived.
   */
  async step(signal: AbortSignal): Promise<void> {
    const move = decide(this.#candidate, this.#clock.monotonic());
    if (move.do === 'wait') await pause(move.ms, signal);
    else if (move.do === 'yield') this.resign();
    else this.#candidate = learn(this.#candidate, await this.#ask(move, signal), Math.random());
  }

  async #ask(move: Extract<Move, { do: 'read' | 'write' }>, signal: AbortSignal): Promise<Lesson> {
    try {
      const lesson = await (move.do === 'read' ? this.#read(signal) : this.#write(move, signal));
      this.#failure = undefined;
      return lesson;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
      if (error.kind !== 'transient' && this.epoch === undefined) throw error;
      this.#failure = error;
      this.#onRetry(error, this.timings.retryMs);
      return { type: 'failed', at: this.#clock.monotonic() };
    }
  }

  async #read(signal: AbortSignal): Promise<Lesson> {
    const record = await this.#store.read(signal);
    this.#mayHold = record?.holder === this.identity;
    return { type: 'read', record, at: this.#clock.monotonic() };
  }

  async #write({ next, over }: Extract<Move, { do: 'write' }>, signal: AbortSignal): Promise<Lesson> {
    const sentAt = this.#clock.monotonic();
    this.#mayHold = true;
    const record = await this.#store.write(next, over, signal);
    const at = this.#clock.monotonic();
    return record === undefined ? { type: 'refused', at } : { type: 'written', record, sentAt, at };
  }

  /** Stops leading at once, here; the Lease runs out by itself. */
  resign(): void {
    this.#candidate = resign(this.#candidate);
  }

  /**
   * Gives the Lease back, if it may be ours, so that another need not wait for its end. Where that fails, another one's try after
   * that end is what is told.
   */
  async release(): Promise<void> {
    this.resign();
    try {
      for (let left = RELEASE_TRIES; left > 0 && this.#mayHold; left--) await this.#releaseOnce();
    } catch (error) {
      if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
      this.#onRetry(error, this.timings.leaseMs);
    }
  }

  /** A renewal that got no answer may have changed the Lease, so it is read first. */
  async #releaseOnce(): Promise<void> {
    const { signal } = new AbortController();
    const record = await this.#store.read(signal);
    const isOurs = record?.holder === this.identity;
    this.#mayHold = isOurs && (await this.#store.write(released(record), record, signal)) === undefined;
  }
}

/** As client-go leaves it: nobody's, with the count of the last term. */
function released({ transitions }: LeaseRecord) {
  return { holder: '', durationSeconds: 1, transitions };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
