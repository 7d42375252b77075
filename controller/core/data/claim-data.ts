import type { ClaimRecord, DataNote } from './record.ts';
import type { SnapshotPlan } from './snapshot-plan.ts';

/** What became of the data of each claim of a namespace, for whoever asked. */

export interface ClaimData {
  readonly name: string;
  /** As in the note; excluded and impossible were never asked for; missing: it was to be, and nobody asked. */
  readonly state: ClaimRecord['state'] | 'excluded' | 'impossible' | 'missing';
  /** Why it is not ready. */
  readonly why?: string;
  /** Bytes: of the claim, and the least that holds the data. */
  readonly size?: number;
  readonly restoreSize?: number;
  /** When the driver cut it; when it was ready. */
  readonly cutAt?: string;
  readonly readyAt?: string;
  readonly volumeSnapshot?: string;
  readonly driver?: string;
}

/** Of the note of the commit that asked, by name. `snapshots` are those that its trailers name: without a record they were asked for and no more is known. */
export function claimsOfNote(
  note: DataNote | undefined,
  snapshots: ReadonlyMap<string, string> = new Map(),
): readonly ClaimData[] {
  const known = Object.entries(note?.claims ?? {}).map(([name, record]) => claimOf(name, record));
  const names = new Set(known.map(({ name }) => name));
  const bare = [...snapshots].filter(([name]) => !names.has(name));
  const skipped = Object.entries(note?.skipped ?? {}).filter(([name]) => !names.has(name));
  return byName([
    ...known,
    ...bare.map(([name, volumeSnapshot]) => ({ name, state: 'pending' as const, volumeSnapshot })),
    ...skipped.map(([name, { kind, why }]) => ({ name, state: kind, why })),
  ]);
}

function claimOf(name: string, record: ClaimRecord): ClaimData {
  const { state, why, size, restoreSize, creationTime, readyAt, volumeSnapshot, driver } = record;
  return {
    name,
    state,
    ...(why === undefined ? {} : { why }),
    ...(size === undefined ? {} : { size }),
    ...(restoreSize === undefined ? {} : { restoreSize }),
    ...(creationTime === undefined ? {} : { cutAt: creationTime }),
    ...(readyAt === undefined ? {} : { readyAt }),
    volumeSnapshot,
    driver,
  };
}

/** Where nothing was asked for: what the cluster says of its claims. `why` is for those that should have been asked for. */
export function claimsOfPlan({ alone, groups, skipped }: SnapshotPlan, why: string): readonly ClaimData[] {
  const planned = [...alone, ...groups.flatMap(({ members }) => members)];
  return byName([
    ...planned.map(({ claim, driver }) => ({ name: claim.metadata.name, state: 'missing' as const, why, driver })),
    ...skipped.map(({ name, kind, why: reason }) => ({ name, state: kind, why: reason })),
  ]);
}

function byName(claims: readonly ClaimData[]): readonly ClaimData[] {
  return claims.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
