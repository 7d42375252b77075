import { type Metric, MOST_REPOSITORIES, SECONDS } from './metric.ts';

/** Volume data beside the commits. */
export const VOLUME_METRICS = {
  snapshots: {
    name: 'kubekeeper_snapshots_total',
    type: 'counter',
    labels: ['result'],
    help: 'VolumeSnapshots that were asked for and are decided: ready, or failed.',
    act: 'Failures: the log line `snapshots-decided` names each claim and the reason of its driver.',
  },
  dataPoints: {
    name: 'kubekeeper_data_points_total',
    type: 'counter',
    labels: ['grade'],
    help: 'Volume data of one moment, decided, by how far it fits together (docs/data.md).',
    act: 'partial or none: see kubekeeper_snapshots_total. crash-consistent where you expect quiesced: a hook failed.',
  },
  newestData: {
    name: 'kubekeeper_newest_data_timestamp_seconds',
    type: 'gauge',
    labels: ['target_namespace'],
    help: `When the newest data was asked for of which every claim is ready, since this process began; the ${MOST_REPOSITORIES} newest.`,
    act: 'Far behind the last commit: see kubekeeper_snapshots_total and the log of the CSI driver.',
  },
  snapshotHandles: {
    name: 'kubekeeper_snapshot_handles_duration_seconds',
    type: 'histogram',
    labels: [],
    buckets: SECONDS,
    help: 'From asking for the snapshots of a namespace until the driver had given the handle of the last.',
    act: 'So long a deleted namespace would take them along, and hooks hold applications still.',
  },
  impossibleClaims: {
    name: 'kubekeeper_impossible_claims',
    type: 'gauge',
    labels: ['target_namespace'],
    help: 'Claims that cannot be snapshotted: no class, several defaults, no CSI driver.',
    act: 'Name a class, or exclude them; the log line `snapshots-impossible` says why.',
  },
  removedSnapshots: {
    name: 'kubekeeper_removed_snapshots_total',
    type: 'counter',
    labels: ['why'],
    help: 'Snapshots that were deleted: pruned by the retention, or orphaned by a process that was killed.',
    act: 'None pruned for weeks where a retention is set: see `kubekeeper prune --dry-run`.',
  },
  snapshotFailures: {
    name: 'kubekeeper_snapshot_failures_total',
    type: 'counter',
    labels: ['doing'],
    help: 'Asking for snapshots, following, pruning or taking them up did not come off; tried again.',
    act: 'Grows: the log line `snapshots-failed` has the reason, often a right that is missing.',
  },
} as const satisfies Readonly<Record<string, Metric>>;
