/**
 * When a namespace's volumes are snapshotted. A commit asks at once when the minimum interval has passed; else it points at the newest
 * snapshots cut before it, and when the interval ends new ones are due although no further commit came
 * (docs/decisions/2026-11-21-what-a-snapshot-covers.md). Times are in milliseconds since 1970.
 */

export interface Cadence {
  readonly minimumIntervalMs: number;
  /** Snapshots are due after so long even if no object changed; undefined: only after commits. */
  readonly maximumIntervalMs: number | undefined;
}

/** Snapshots of all claims in scope that were asked for together. */
export interface SnapshotRun {
  /** The commit that names them first. */
  readonly commit: string;
  readonly askedAt: number;
  readonly state: 'pending' | 'ready' | 'partial' | 'failed';
  /** By claim; those that failed are not here. */
  readonly snapshots: ReadonlyMap<string, { readonly uid: string; readonly volumeSnapshot: string }>;
}

export interface RunHistory {
  /** Undefined: none was ever asked for. */
  readonly last: SnapshotRun | undefined;
  /** The newest one that is not failed: what commits in between point at. */
  readonly usable: SnapshotRun | undefined;
  /** How many failed in a row until now. */
  readonly failures: number;
  /** A commit came after the last one was asked for. */
  readonly changedSince: boolean;
}

/** After a failure the next try comes sooner than the interval, at first after a minute, then twice as late each time. */
const FIRST_RETRY_MS = 60_000;

/**
 * The moment at which a timer must ask for snapshots; undefined while there is nothing to wait for. Ask again after every commit and when a
 * run settles: while one is pending nothing is due, or a slow driver would never get one ready. A moment in the past is due now.
 */
export function nextRunAt(history: RunHistory, cadence: Cadence, now: number): number | undefined {
  const { last, changedSince } = history;
  if (last?.state === 'pending') return undefined;
  // A clock that was ahead once must not silence us until it is caught up.
  if (last !== undefined && last.askedAt > now) return now;
  if (changedSince || last?.state === 'failed') return earliest(history, cadence);
  if (cadence.maximumIntervalMs === undefined || last === undefined) return undefined;
  return last.askedAt + Math.max(cadence.maximumIntervalMs, cadence.minimumIntervalMs);
}

function earliest({ last, failures }: RunHistory, { minimumIntervalMs }: Cadence): number {
  if (last === undefined) return Number.NEGATIVE_INFINITY;
  if (last.state !== 'failed') return last.askedAt + minimumIntervalMs;
  return last.askedAt + Math.min(minimumIntervalMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20));
}

export interface ClaimIdentity {
  readonly name: string;
  readonly uid: string;
}

export type DataOfCommit =
  /** Ask for snapshots of all claims now; the commit names them. */
  | { readonly kind: 'ask' }
  /** Name these, which `commit` asked for; `uncovered` claims have no data at this commit, with the reason. */
  | {
      readonly kind: 'covered';
      readonly commit: string;
      readonly snapshots: ReadonlyMap<string, string>;
      readonly uncovered: ReadonlyMap<string, string>;
    }
  /** There is nothing to name yet; `uncovered` says why. */
  | { readonly kind: 'nothing'; readonly uncovered: ReadonlyMap<string, string> };

/** What a commit that is made now says of the claims in scope. */
export function dataOfCommit(
  claims: readonly ClaimIdentity[],
  history: RunHistory,
  cadence: Cadence,
  now: number,
): DataOfCommit {
  if (claims.length === 0) return { kind: 'nothing', uncovered: new Map() };
  if (isDue(history, cadence, now)) return { kind: 'ask' };
  const { usable } = history;
  const snapshots = new Map<string, string>();
  const uncovered = new Map<string, string>();
  for (const { name, uid } of claims) {
    const run = usable?.snapshots.get(name);
    if (run === undefined) uncovered.set(name, 'no snapshot of it was cut before this commit');
    else if (run.uid !== uid) uncovered.set(name, 'the claim was made again after the last snapshot');
    else snapshots.set(name, run.volumeSnapshot);
  }
  if (usable === undefined || snapshots.size === 0) return { kind: 'nothing', uncovered };
  return { kind: 'covered', commit: usable.commit, snapshots, uncovered };
}

function isDue(history: RunHistory, cadence: Cadence, now: number): boolean {
  const { last } = history;
  if (last === undefined) return true;
  if (last.state === 'pending') return false;
  return last.askedAt > now || earliest(history, cadence) <= now;
}
