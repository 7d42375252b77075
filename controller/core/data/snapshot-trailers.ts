/** What a commit says of the volume data that belongs to it: `Snapshot: PVC=VOLUMESNAPSHOT`, and `Covered-By: COMMIT` where another commit asked for it. */

export interface SnapshotTrailers {
  /** VolumeSnapshots by claim. */
  readonly snapshots: ReadonlyMap<string, string>;
  /** The commit that asked for them, when it was not this one: its note says what became of them. */
  readonly coveredBy: string | undefined;
}

interface Trailer {
  readonly key: string;
  readonly value: string;
}

// Both are DNS subdomains: lower-case letters, digits, '-' and '.'. Neither can hold '=', a blank or a newline, so nothing needs escaping.
const PAIR = /^([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)=([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Sorted by claim. For Occasion.trailers. */
export function renderSnapshotTrailers({
  snapshots,
  coveredBy,
}: SnapshotTrailers): readonly (readonly [string, string])[] {
  const pairs = [...snapshots].sort(([left], [right]) => (left < right ? -1 : 1));
  const trailers = pairs.map(([claim, snapshot]) => ['Snapshot', `${claim}=${snapshot}`] as const);
  return coveredBy === undefined || trailers.length === 0
    ? trailers
    : [...trailers, ['Covered-By', coveredBy] as const];
}

/** `odd` are the values that no kubekeeper wrote; nothing of them is used. Of two for one claim the first counts. */
export function parseSnapshotTrailers(
  trailers: readonly Trailer[],
): SnapshotTrailers & { readonly odd: readonly string[] } {
  const snapshots = new Map<string, string>();
  const odd: string[] = [];
  let coveredBy: string | undefined;
  for (const { key, value } of trailers) {
    if (key === 'Snapshot') {
      const [, claim, snapshot] = PAIR.exec(value) ?? [];
      if (claim === undefined || snapshot === undefined || snapshots.has(claim)) odd.push(value);
      else snapshots.set(claim, snapshot);
    } else if (key === 'Covered-By') {
      if (coveredBy === undefined && COMMIT.test(value)) coveredBy = value;
      else odd.push(value);
    }
  }
  return { snapshots, coveredBy, odd };
}
