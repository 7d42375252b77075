import type { Outcome } from '../core/outcome.ts';
import { type Backlog, backlogOf } from './publish-backlog.ts';
import type { Lane, Stall } from './publish-lane.ts';

const BACKLOG_AFTER_MS = 15 * 60_000;
/** What waited since an earlier run gets its chance before it is complained of. */
const BACKLOG_NOT_BEFORE_MS = 60_000;

/** What is told of the remotes: each thing once, and not for every try. Times are monotonic milliseconds. */
export class Telling {
  readonly #report: (outcome: Outcome) => void;
  #backlogAt: number;

  constructor(report: (outcome: Outcome) => void, now: number) {
    this.#report = report;
    this.#backlogAt = now + BACKLOG_NOT_BEFORE_MS;
  }

  /** Once for each reason; digits (ports, times) make no new one. Without a reason the next one is new again. */
  failure(lane: Lane, reason: string | undefined, facts: { readonly code: string; readonly afterMs: number }): void {
    const told = reason === undefined ? '' : reason.replace(/\d+/g, '#');
    if (reason !== undefined && told !== lane.told) {
      this.#report({ type: 'push-failed', repository: lane.name, reason, ...facts });
    }
    lane.told = told;
  }

  /** What it waits for a person for, or that this is over. */
  stall(lane: Lane, stall: Stall | undefined): void {
    const { stall: before, name: repository } = lane;
    lane.stall = stall;
    if (before !== undefined && before.reason !== stall?.reason) {
      this.#report({ type: 'resumed', repository, reason: before.reason });
    }
    if (stall !== undefined && stall.message !== before?.message)
      this.#report({ type: 'stalled', repository, ...stall });
  }

  /** When the oldest commit has waited for a quarter of an hour, and then every quarter. */
  backlog(lanes: Iterable<Lane>, now: number): void {
    const backlog = backlogOf(lanes, now);
    if (now < this.#nextAt(backlog, now)) return;
    this.#backlogAt = now + BACKLOG_AFTER_MS;
    this.#report({ type: 'unpushed', ...backlog });
  }

  /** When `backlog` may have something to tell. */
  nextAt(lanes: Iterable<Lane>, now: number): number {
    return this.#nextAt(backlogOf(lanes, now), now);
  }

  #nextAt({ repositories, oldestMs }: Backlog, now: number): number {
    if (repositories === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.#backlogAt, now - oldestMs + BACKLOG_AFTER_MS);
  }
}
