import type { Outcome } from '../core/outcome.ts';
import type { Clock, LeaseStore } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import { Candidacy, type CandidacyOptions } from './candidacy.ts';

/**
 * One of several replicas leads: stand by, lead, run, give the lead back. Leadership that is lost is not waited for again: what
 * the run holds in memory is of the past, so it ends with LEADERSHIP_LOST and the process starts anew as a standby.
 */

export interface LeadOptions extends CandidacyOptions {
  /** Stops the run, or the waiting; both end quietly. */
  readonly signal: AbortSignal;
}

/** What a run may know of the leadership that it acts under. */
export interface Term {
  readonly identity: string;
  /** Grows from leader to leader of one Lease (its count of transitions). */
  readonly epoch: number;
  /** Fires on a stop, and with LEADERSHIP_LOST as its reason once leadership is lost. */
  readonly signal: AbortSignal;
  /** To be asked right before each write: true as long as nobody else can lead, by the clock and not by what could run since. */
  isLeader(): boolean;
  /** Throws LEADERSHIP_LOST unless `isLeader()`. */
  requireLead(): void;
}

/**
 * Waits for the Lease (Outcome standby, once per leader), then yields `leading` and all outcomes of `run`. The Lease is renewed
 * beside it and released when it has ended, also by failing. Throws LEADERSHIP_LOST when it was lost, whatever the run made of
 * that, and before it ever led the refusal of the Lease, such as a missing right.
 */
export async function* lead(
  store: LeaseStore,
  clock: Clock,
  options: LeadOptions,
  run: (term: Term) => AsyncIterable<Outcome>,
): AsyncGenerator<Outcome> {
  const candidacy = new Candidacy(store, clock, options);
  yield* standBy(candidacy, options.signal);
  if (candidacy.epoch === undefined) return;
  await using term = new RunningTerm(candidacy, candidacy.epoch, options.signal);
  try {
    yield { type: 'leading', identity: term.identity, epoch: term.epoch };
    yield* run(term);
  } catch (error) {
    term.requireLead(error);
    throw error;
  }
  term.requireLead();
}

async function* standBy(candidacy: Candidacy, signal: AbortSignal): AsyncGenerator<Outcome> {
  let told = '';
  while (!candidacy.isLeading()) {
    try {
      await candidacy.step(signal);
    } catch (error) {
      // Stopped with a claim on its way: it may have arrived.
      if (signal.aborted) return await candidacy.release();
      throw error;
    }
    const leader = candidacy.otherHolder;
    if (leader !== '' && leader !== told) yield { type: 'standby', leader };
    if (leader !== '') told = leader;
  }
}

/** Renews the Lease until it is disposed of, which gives it back, or until it is lost. */
class RunningTerm implements Term, AsyncDisposable {
  readonly identity: string;
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly #candidacy: Candidacy;
  readonly #lost = new AbortController();
  readonly #renewing: Promise<void>;
  /** Of the step under way. */
  #step = new AbortController();
  #isEnding = false;

  constructor(candidacy: Candidacy, epoch: number, stop: AbortSignal) {
    this.identity = candidacy.identity;
    this.epoch = epoch;
    this.#candidacy = candidacy;
    this.signal = AbortSignal.any([stop, this.#lost.signal]);
    this.#renewing = this.#renew();
  }

  isLeader(): boolean {
    return !this.#lost.signal.aborted && this.#candidacy.isLeading();
  }

  requireLead(cause?: unknown): void {
    if (this.isLeader()) return;
    this.#lose(cause);
    throw this.#lost.signal.reason;
  }

  async #renew(): Promise<void> {
    while (!this.#isEnding && this.isLeader()) {
      this.#step = new AbortController();
      // A request without an answer must not outlast the belief that it was to renew.
      const expiry = setTimeout(() => this.#step.abort(), this.#candidacy.msLeft());
      try {
        await this.#candidacy.step(this.#step.signal);
      } catch (error) {
        if (!this.#step.signal.aborted) this.#lost.abort(error);
      } finally {
        clearTimeout(expiry);
      }
    }
    if (!this.#isEnding) this.#lose();
  }

  /** The first reason counts. */
  #lose(cause?: unknown): void {
    if (this.#lost.signal.aborted) return;
    const error = this.#describeLoss(cause);
    this.#candidacy.resign();
    this.#lost.abort(error);
  }

  #describeLoss(cause: unknown): KeeperError {
    const { otherHolder, failure, timings } = this.#candidacy;
    const why = failure?.message ?? 'no answer in time, or this process slept';
    const unrenewed = `its Lease could not be renewed for ${timings.renewMs / 1000} s (${why})`;
    const reason = otherHolder === '' ? unrenewed : `"${otherHolder}" holds its Lease now`;
    return new KeeperError(
      `This replica lost the lead: ${reason}; nothing was written after that, start it again to stand by`,
      { kind: 'transient', code: 'LEADERSHIP_LOST', details: { epoch: this.epoch }, cause: cause ?? failure },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    this.#step.abort();
    await this.#renewing;
    if (this.isLeader()) await this.#candidacy.release();
  }
}
