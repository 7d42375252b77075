import { renderDuration } from '../../core/data/durations.ts';
import type { ClaimRecord } from '../../core/data/record.ts';

/** What a restore does with the data of one claim, and what the restore point knows of it. */

/**
 * restore: the claim is made and filled · replace: the claim that lives is made anew and filled · keep: it lives, and its data is left as it is ·
 * empty: it is made without data · refuse: the commit promises data that cannot be had; nothing is done with the claim.
 */
export type VolumeAction = 'restore' | 'replace' | 'keep' | 'empty' | 'refuse';

export interface VolumePlan {
  /** Its name, in the restore point and in the target. */
  readonly claim: string;
  readonly action: VolumeAction;
  /** In words, one line. */
  readonly reason: string;
  /** What the commit has of it; undefined when it promises nothing, or nobody knows what became of it. */
  readonly data?: VolumeSource;
  /** Of a replacement: what is scaled to zero meanwhile, as RESOURCE/NAME. */
  readonly workloads?: readonly string[];
}

export interface VolumeSource {
  /** The VolumeSnapshot, or VolumeGroupSnapshot, that the commit names. */
  readonly snapshot: string;
  readonly driver: string;
  /** What the driver calls it. */
  readonly handle?: string;
  readonly groupHandle?: string;
  readonly snapshotClass: string;
  /** RFC 3339, by the driver's clock where it says. */
  readonly cutAt: string;
  /** Before the commit; negative when it was cut after it. */
  readonly ageMs: number;
  /** Bytes: the least that a claim must have to hold it. */
  readonly bytes?: number;
  readonly volumeMode?: 'Filesystem' | 'Block';
  /** Of all data of the commit: 'crash-consistent: 3 claims, cut within 4 s'. */
  readonly grade: string;
}

/** What a commit has of volume data. */
export interface PointData {
  /** False in a clone that did not bring `refs/notes/data`. */
  readonly hasNotes: boolean;
  /** The commit that asked for the snapshots; undefined when it cannot be found. */
  readonly asked: string | undefined;
  readonly grade: string | undefined;
  /** That the commit promises data of. */
  readonly claims: ReadonlyMap<string, PointClaim>;
  readonly skipped: ReadonlyMap<string, { readonly kind: 'excluded' | 'impossible'; readonly why: string }>;
}

export interface PointClaim {
  readonly snapshot: string;
  readonly record: ClaimRecord | undefined;
  readonly cutAt: string | undefined;
  readonly ageMs: number | undefined;
}

/** Cut so near to the commit that nobody needs to be told of a difference. */
const TOGETHER_MS = 15_000;

/** 'cut 14 min before this commit'. */
export function ageWords(ageMs: number): string {
  if (Math.abs(ageMs) < TOGETHER_MS) return 'cut with this commit';
  return `cut ${renderDuration(Math.abs(ageMs))} ${ageMs > 0 ? 'before' : 'after'} this commit`;
}

/** '64 MiB', '1.5 GiB'. */
export function sizeWords(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let [size, at] = [bytes, 0];
  for (; size >= 1024 && at < units.length - 1; at++) size /= 1024;
  return `${Math.round(size * 10) / 10} ${units[at]}`;
}

/** Does carrying the plan out touch data? */
export function isVolumeWork({ action }: VolumePlan): boolean {
  return action === 'restore' || action === 'replace';
}

/** For the hash of a plan: words may be said better by a later version. What is left as it is has no effect. */
export function volumeEffects(volumes: readonly VolumePlan[]): readonly object[] {
  return volumes
    .filter(({ action }) => action !== 'keep')
    .map(({ claim, action, data, workloads }) =>
      action === 'restore' || action === 'replace'
        ? { claim, action, driver: data?.driver, handle: data?.handle, workloads }
        : { claim, action },
    );
}
