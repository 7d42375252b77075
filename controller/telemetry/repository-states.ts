import type { Outcome, StalledReason } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import type { Meter } from './meter.ts';
import { MOST_REPOSITORIES } from './metric.ts';
import { named } from './read-flow.ts';

/** What outcomes say of the repositories' present states, as gauges. However many there are, the number of series is bounded. */
export class RepositoryStates {
  readonly #clock: Clock;
  /** Wall times in seconds; the last to commit is the last of the map. */
  readonly #lastCommits = new Map<string, number>();
  readonly #quarantines = new Map<string, number>();
  readonly #stalled = new Map<string, StalledReason>();
  readonly #failing = new Set<string>();
  readonly #newestData = new Map<string, number>();
  readonly #impossible = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(outcome: Outcome): void {
    switch (outcome.type) {
      case 'committed':
        stamp(this.#lastCommits, outcome.repository, this.#clock.wall() / 1000);
        break;
      case 'quarantined':
        stamp(this.#quarantines, outcome.repository, this.#clock.wall() / 1000);
        break;
      case 'stalled':
        this.#stalled.set(outcome.repository, outcome.reason);
        break;
      case 'resumed':
        this.#stalled.delete(outcome.repository);
        break;
      case 'storage-failed':
        this.#failing.add(outcome.repository);
        break;
      case 'storage-recovered':
        this.#failing.delete(outcome.repository);
        break;
      case 'snapshots-decided':
        if (outcome.ready > 0 && outcome.failed + outcome.impossible === 0)
          stamp(this.#newestData, outcome.repository, (this.#clock.wall() - outcome.durationMs) / 1000);
        break;
      case 'snapshots-impossible':
        if (outcome.claims === 0) this.#impossible.delete(outcome.repository);
        else stamp(this.#impossible, outcome.repository, outcome.claims);
        break;
      case 'standby':
        // Another replica's now.
        this.#stalled.clear();
        this.#failing.clear();
        this.#impossible.clear();
        break;
      default:
    }
  }

  fill(meter: Meter): void {
    meter.replace('lastCommit', named(this.#lastCommits));
    meter.replace('lastQuarantine', named(this.#quarantines));
    meter.replace('newestData', named(this.#newestData));
    meter.replace('impossibleClaims', named(this.#impossible));
    meter.set('storageFailing', {}, this.#failing.size);
    meter.replace('stalled', countBy(STALLED_REASONS, this.#stalled.values()));
  }
}

/** Told as 0 too, so that an empty panel is never taken for a healthy one. */
const STALLED_REASONS: readonly StalledReason[] = [
  'RemoteDiverged',
  'RemoteGone',
  'RemoteRefused',
  'CredentialsRefused',
  'RemoteUntrusted',
];

/** The oldest is forgotten where there are too many. */
function stamp(times: Map<string, number>, repository: string, value: number): void {
  times.delete(repository);
  times.set(repository, value);
  if (times.size <= MOST_REPOSITORIES) return;
  const [oldest = ''] = times.keys();
  times.delete(oldest);
}

function countBy(reasons: readonly StalledReason[], found: Iterable<StalledReason>) {
  const counts = new Map(reasons.map((reason) => [reason, 0]));
  for (const reason of found) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => [{ reason }, count] as const);
}
