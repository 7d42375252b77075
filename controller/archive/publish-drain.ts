import type { Lane } from './publish-lane.ts';
import type { Outages } from './publish-outage.ts';

/** How much is still tried at the end of a run. */
export interface Effort {
  /** For all repositories together. */
  readonly totalMs: number;
  /** For one repository, or a server in trouble, from its first failure on; 0 for one try. */
  readonly eachMs: number;
}

/** The end of a run: who may still be waited for, and until when. Times are monotonic milliseconds. */
export class Drain {
  readonly #since: number;
  readonly #until: number;
  readonly #eachMs: number;

  constructor(effort: Effort, now: number) {
    this.#since = now;
    this.#until = now + effort.totalMs;
    this.#eachMs = effort.eachMs;
  }

  /** Everything that waits is tried at once, but for what the server asked for. */
  begin(lanes: Iterable<Lane>, outages: Outages): void {
    for (const outage of Object.values(outages)) outage.hurry(this.#since);
    for (const lane of lanes) {
      lane.failedAt = undefined;
      if (lane.waitingSince !== undefined) lane.hurry(this.#since);
    }
  }

  isOver(lanes: Iterable<Lane>, outages: Outages, now: number): boolean {
    if (now >= this.#until) return true;
    for (const lane of lanes) if (this.#givesUpAt(lane, outages) > now) return false;
    return true;
  }

  /** When to look again if nothing happens. */
  nextAt(lanes: Iterable<Lane>, outages: Outages, now: number): number {
    let next = this.#until;
    for (const lane of lanes) {
      const at = this.#givesUpAt(lane, outages);
      if (at > now && at < next) next = at;
    }
    return next;
  }

  #givesUpAt(lane: Lane, outages: Outages): number {
    if (lane.isRunning) return this.#until;
    if (lane.waitingSince === undefined) return Number.NEGATIVE_INFINITY;
    // Who waits for a person does so for longer than this run.
    if (lane.stall !== undefined && lane.failedAt !== undefined) return Number.NEGATIVE_INFINITY;
    const outage = lane.trouble === undefined ? undefined : outages[lane.trouble];
    const failedAt = lane.failedAt ?? (outage?.isDown === true ? outage.failedAt : undefined);
    return failedAt === undefined ? this.#until : failedAt + this.#eachMs;
  }
}
