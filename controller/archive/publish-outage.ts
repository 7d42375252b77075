import { backoffMs, type RetryPolicy } from '../core/backoff.ts';
import type { Trouble } from './publish-failure.ts';

/** So many repositories that fail with no answer in between are no accident of their own any more. */
const DOWN_AT = 3;

const POLICIES: Readonly<Record<Trouble, RetryPolicy>> = {
  unreachable: { baseMs: 1000, capMs: 30_000 },
  /** Servers lock out who knocks too often; a renewed credential is found within the minute. */
  credentials: { baseMs: 60_000, capMs: 60_000 },
};

/**
 * Whether the server as a whole is in one kind of trouble. While it is, the repositories that failed wait for one probe at a time
 * instead of each finding it out for itself. A repository that did not fail is never kept waiting by this.
 */
export class Outage {
  readonly trouble: Trouble;
  /** Those that failed since the last answer. */
  readonly #failing = new Set<string>();
  #probes = 0;
  #probeAt = Number.NEGATIVE_INFINITY;
  /** What the server asked for (Retry-After). */
  #notBefore = Number.NEGATIVE_INFINITY;
  #failedAt: number | undefined;

  constructor(trouble: Trouble) {
    this.trouble = trouble;
  }

  get isDown(): boolean {
    return this.#failing.size >= DOWN_AT;
  }

  /** Somebody failed, and nobody has had an answer since. */
  get isDoubtful(): boolean {
    return this.#failing.size > 0;
  }

  /** When it began; undefined while there is none. */
  get failedAt(): number | undefined {
    return this.#failedAt;
  }

  /** When the next probe may begin. */
  get probeAt(): number {
    return this.#probeAt;
  }

  failed(repository: string, now: number, random: () => number, retryAfterMs = 0): void {
    this.#failing.add(repository);
    this.#failedAt ??= now;
    if (retryAfterMs > 0) this.#notBefore = Math.max(this.#notBefore, now + retryAfterMs);
    if (!this.isDown) return;
    this.#probes++;
    this.#probeAt = Math.max(this.#notBefore, now + backoffMs(this.#probes, random, POLICIES[this.trouble]));
  }

  answered(): void {
    this.#failing.clear();
    this.#probes = 0;
    this.#probeAt = Number.NEGATIVE_INFINITY;
    this.#failedAt = undefined;
  }

  /** The run is about to end: one more probe at once, and what failed before counts no more. */
  hurry(now: number): void {
    this.#probeAt = Math.min(this.#probeAt, Math.max(now, this.#notBefore));
    this.#failedAt = undefined;
  }
}

export type Outages = Readonly<Record<Trouble, Outage>>;
