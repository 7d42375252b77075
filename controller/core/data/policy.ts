import type { ClusterArchiveSpec } from '../../api/cluster-archive.ts';
import type { HookSpec } from '../../api/hooks.ts';
import type { RetentionSpec } from '../../api/retention.ts';
import type { Cadence } from './cadence.ts';
import { parseDuration, parseSpan } from './durations.ts';
import { KEEP_ALL, type RetentionPolicy, type WrittenSpan } from './retention-policy.ts';
import { compileLabelSelector, type Labels } from './selector.ts';

/** From what people write to what is counted with: defaults filled in, times in milliseconds. */

export interface DataPolicy {
  readonly volumes: VolumePolicy;
  readonly classes: ClassPolicy;
  readonly cadence: Cadence;
  /** How long a snapshot may take to be ready. */
  readonly timeoutMs: number;
  readonly groupSnapshots: 'auto' | 'never';
  readonly hooks: readonly HookSpec[];
  readonly retention: RetentionPolicy;
}

export interface VolumePolicy {
  /** Of claims that say nothing themselves. */
  readonly default: 'Snapshot' | 'None';
  /** Labels of claims that the default is for. */
  readonly isSelected: (labels: Labels) => boolean;
}

export interface ClassPolicy {
  /** For claims of its own driver. */
  readonly name: string | undefined;
  readonly byDriver: ReadonlyMap<string, string>;
}

export const DEFAULTS = { minimumInterval: '15m', timeout: '10m' };

/** Undefined where no volume data was asked for. The spec has passed its schema and `specFaults`. */
export function dataPolicyOf(spec: ClusterArchiveSpec): DataPolicy | undefined {
  const { data } = spec;
  if (data === undefined) return undefined;
  return {
    volumes: {
      default: data.volumes?.default ?? 'Snapshot',
      isSelected: compileLabelSelector(data.volumes?.labelSelector ?? {}),
    },
    classes: {
      name: data.volumeSnapshotClassName,
      byDriver: new Map(Object.entries(data.volumeSnapshotClassNames ?? {})),
    },
    cadence: {
      minimumIntervalMs: milliseconds(data.minimumInterval ?? DEFAULTS.minimumInterval),
      maximumIntervalMs: data.maximumInterval === undefined ? undefined : milliseconds(data.maximumInterval),
    },
    timeoutMs: milliseconds(data.timeout ?? DEFAULTS.timeout),
    groupSnapshots: data.groupSnapshots ?? 'auto',
    hooks: data.hooks?.resources ?? [],
    retention: retentionPolicyOf(data.retention ?? {}, data.hold ?? false),
  };
}

/** Of what fits its schema. */
export function milliseconds(text: string): number {
  return parseDuration(text) ?? 0;
}

function retentionPolicyOf(spec: RetentionSpec, hold: boolean): RetentionPolicy {
  const ttlMs = spec.ttl === undefined ? undefined : milliseconds(spec.ttl);
  return {
    ...KEEP_ALL,
    keep: {
      Last: spec.keepLast ?? 0,
      Hourly: spec.keepHourly ?? 0,
      Daily: spec.keepDaily ?? spec.days ?? 0,
      Weekly: spec.keepWeekly ?? spec.weeks ?? 0,
      Monthly: spec.keepMonthly ?? spec.months ?? 0,
      Yearly: spec.keepYearly ?? 0,
    },
    within: written(spec.keepWithin),
    withinBuckets: {
      Hourly: written(spec.keepWithinHourly),
      Daily: written(spec.keepWithinDaily),
      Weekly: written(spec.keepWithinWeekly),
      Monthly: written(spec.keepWithinMonthly),
      Yearly: written(spec.keepWithinYearly),
    },
    ttlMs,
    keepTags: spec.keepTags ?? [],
    timeZone: spec.timeZone ?? KEEP_ALL.timeZone,
    minKeep: spec.minKeep ?? KEEP_ALL.minKeep,
    failedHistory: spec.failedHistory ?? KEEP_ALL.failedHistory,
    hold,
  };
}

function written(text: string | undefined): WrittenSpan | undefined {
  const span = text === undefined ? undefined : parseSpan(text);
  return span === undefined || text === undefined ? undefined : { span, text };
}
