import type { Outcome } from '../core/outcome.ts';
import type { Vitals } from '../core/vitals.ts';

/** What the probes answer, told in words. Being alive never depends on the cluster or a remote: a restart would mend neither. */

export interface Check {
  readonly name: string;
  /** What is wrong; undefined when nothing is. */
  readonly problem: string | undefined;
}

/** A write that has not moved for so long will not move by waiting. */
const STUCK_MS = 5 * 60_000;

export class Health {
  readonly #vitals: Vitals;
  readonly #stop: AbortSignal;
  readonly #failing = new Map<string, string>();
  #isStandby = false;
  #isSynced = false;

  constructor(vitals: Vitals, stop: AbortSignal) {
    this.#vitals = vitals;
    this.#stop = stop;
  }

  observe(outcome: Outcome): void {
    switch (outcome.type) {
      case 'synced':
        this.#isSynced = true;
        break;
      case 'standby':
        [this.#isStandby, this.#isSynced] = [true, false];
        this.#failing.clear();
        break;
      case 'leading':
        this.#isStandby = false;
        break;
      case 'storage-failed':
        this.#failing.set(outcome.repository, outcome.reason);
        break;
      case 'storage-recovered':
        this.#failing.delete(outcome.repository);
        break;
      default:
    }
  }

  /** Does this process still move? If not, a restart helps. */
  live(): readonly Check[] {
    // Who reads this answer knows that the event loop turns.
    return [check('ping', undefined), check('writer', this.#describeStuck())];
  }

  /** Does it do its part, or is it ready to take over? */
  ready(): readonly Check[] {
    const isWaiting = !this.#isSynced && !this.#isStandby;
    return [
      check('lists', isWaiting ? 'the first lists are not complete' : undefined),
      check('storage', this.#describeFailing()),
      check('shutdown', this.#stop.aborted ? 'it was asked to stop' : undefined),
    ];
  }

  #describeStuck(): string | undefined {
    const longest = this.#vitals.works.standstill();
    if (longest === undefined || longest.ms < STUCK_MS) return undefined;
    return `${longest.what} has not moved for ${Math.round(longest.ms / 1000)} s`;
  }

  #describeFailing(): string | undefined {
    const [first] = this.#failing;
    if (first === undefined) return undefined;
    const others = this.#failing.size === 1 ? '' : ` and ${this.#failing.size - 1} more`;
    return `cannot write ${first[0]}${others}: ${first[1]}`;
  }
}

function check(name: string, problem: string | undefined): Check {
  return { name, problem };
}

/** As Kubernetes' own servers answer: a line per check, then the sum. */
export function renderChecks(name: string, checks: readonly Check[]): string {
  const lines = checks.map((one) =>
    one.problem === undefined ? `[+]${one.name} ok` : `[-]${one.name} failed: ${one.problem}`,
  );
  return [...lines, `${name} check ${isGood(checks) ? 'passed' : 'failed'}`].map((line) => `${line}\n`).join('');
}

export function isGood(checks: readonly Check[]): boolean {
  return checks.every(({ problem }) => problem === undefined);
}
