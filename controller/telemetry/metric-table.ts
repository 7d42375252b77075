/**
 * Every metric of ours: name, type, labels, meaning, and what to do. docs/metrics.md is made from it. Names obey Prometheus' rules
 * (https://prometheus.io/docs/practices/naming/): base units, counters end in _total. A label never is `namespace`, which a
 * scrape would overwrite with the pod's own: the archived one is `target_namespace`.
 */

export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Of a histogram: upper bounds in the name's unit. */
  readonly buckets?: readonly number[];
  readonly help: string;
  /** For people: what a strange value asks of them. */
  readonly act: string;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Repositories that get a series of their own where every repository could have one: those that committed last. */
export const MOST_REPOSITORIES = 500;

/** Repositories that get a series of their own among those with unpushed changes: the oldest. */
export const MOST_UNPUSHED = 20;

export const METRICS = {
  buildInfo: {
    name: 'kubekeeper_build_info',
    type: 'gauge',
    labels: ['version', 'node_version'],
    help: 'Always 1; the labels say what runs.',
    act: 'During an upgrade, compare over replicas.',
  },
  leader: {
    name: 'kubekeeper_leader',
    type: 'gauge',
    labels: [],
    help: '1 when this process archives, 0 when it waits for the Lease. Without election always 1.',
    act: 'The sum over replicas must be 1. At 0, look at the Lease and at the log of each replica.',
  },
  leaderEpoch: {
    name: 'kubekeeper_leader_epoch',
    type: 'gauge',
    labels: [],
    help: 'How often the leadership has changed hands when this process won it; 0 before that and without election.',
    act: 'Grows with each take-over. When it grows often, the leader dies or cannot renew its Lease in time.',
  },
  synced: {
    name: 'kubekeeper_synced',
    type: 'gauge',
    labels: [],
    help: '1 once every resource was listed or skipped, so that windows close and commits are made.',
    act: 'At 0 for more than minutes: the log line `listing` says how far it is.',
  },
  watchedResources: {
    name: 'kubekeeper_watched_resources',
    type: 'gauge',
    labels: [],
    help: 'Resources (as in kubectl api-resources) that are listed and watched.',
    act: 'A fall means that a definition or an aggregated API went.',
  },
  neverArchivedResources: {
    name: 'kubekeeper_never_archived_resources',
    type: 'gauge',
    labels: [],
    help: 'Resources that a rule leaves out whole, so that they are not even listed.',
    act: 'docs/rules.md has the reasons; a rule of your own can override them.',
  },
  unavailableGroups: {
    name: 'kubekeeper_unavailable_api_groups',
    type: 'gauge',
    labels: [],
    help: 'API groups that are registered and do not answer. Nothing of theirs is deleted from Git.',
    act: 'See `kubectl get apiservices`; mend or remove what serves the group.',
  },
  skippedResources: {
    name: 'kubekeeper_skipped_resources',
    type: 'gauge',
    labels: ['code'],
    help: 'Resources, or places of a resource, that cannot be read now, by the code of the reason.',
    act: 'The log line `skipped` names each. RESOURCE_FORBIDDEN: grant get, list and watch.',
  },
  skips: {
    name: 'kubekeeper_skips_total',
    type: 'counter',
    labels: ['code'],
    help: 'How often a resource began to be unreadable.',
    act: 'Many with a small kubekeeper_skipped_resources: something comes and goes, often an aggregated API.',
  },
  watchSign: {
    name: 'kubekeeper_watch_last_sign_timestamp_seconds',
    type: 'gauge',
    labels: ['resource'],
    help: 'When the server last said something in the watch of a resource, be it only a bookmark (one a minute). Of several watches the longest silent.',
    act: 'Older than three minutes while the API server is up: a connection that is stuck; it is opened anew by itself after 75 s.',
  },
  lists: {
    name: 'kubekeeper_lists_total',
    type: 'counter',
    labels: ['cause'],
    help: 'Lists that were begun: first, poll (a resource without watch), or the code of the failure that made a new one necessary.',
    act: 'RESOURCE_EXPIRED after an outage is normal. Steady growth: the API server or a proxy cuts watches.',
  },
  retries: {
    name: 'kubekeeper_retries_total',
    type: 'counter',
    labels: ['code'],
    help: 'Requests to the cluster that failed and were tried again, by code.',
    act: 'CLUSTER_BUSY: the server asks to slow down (429). CREDENTIALS_REFUSED: a token was not renewed.',
  },
  listedObjects: {
    name: 'kubekeeper_listed_objects',
    type: 'gauge',
    labels: ['resource'],
    help: 'Archived objects in the last complete list of a resource.',
    act: 'A sudden 0 with held deletions: a wrong or restored etcd.',
  },
  objectsRead: {
    name: 'kubekeeper_objects_read_total',
    type: 'counter',
    labels: ['resource'],
    help: 'Objects read from lists and watches that are to be archived; most do not differ from what Git has.',
    act: 'Its rate says who writes most in the cluster.',
  },
  changes: {
    name: 'kubekeeper_changes_total',
    type: 'counter',
    labels: ['resource'],
    help: 'Changes that were staged for a commit.',
    act: 'One resource that never rests: a rule (strip or hold) may be missing; `kubekeeper explain RESOURCE` helps.',
  },
  heldChanges: {
    name: 'kubekeeper_held_changes_total',
    type: 'counter',
    labels: ['resource'],
    help: 'Changes only of fields that a rule holds, which make no commit of their own.',
    act: 'Nothing: it shows what the rules save.',
  },
  leftOut: {
    name: 'kubekeeper_left_out_objects_total',
    type: 'counter',
    labels: ['resource', 'reason'],
    help: 'Objects read and not archived because of a rule, by its reason.',
    act: '`kubekeeper explain RESOURCE/NAME` names the rule.',
  },
  repositories: {
    name: 'kubekeeper_repositories',
    type: 'gauge',
    labels: [],
    help: 'Repositories that are open: one per namespace with objects, and one for the cluster.',
    act: '0 on a leader that has synced: the scope matches nothing.',
  },
  openWindows: {
    name: 'kubekeeper_open_windows',
    type: 'gauge',
    labels: [],
    help: 'Repositories with changes that wait for the end of their window.',
    act: 'All the time as many as repositories: something changes everywhere without rest.',
  },
  commits: {
    name: 'kubekeeper_commits_total',
    type: 'counter',
    labels: [],
    help: 'Commits made; each was on the disk, synced, when it was counted.',
    act: 'No growth for a day in a living cluster: look at kubekeeper_synced and kubekeeper_storage_failing_repositories.',
  },
  committedObjects: {
    name: 'kubekeeper_committed_objects_total',
    type: 'counter',
    labels: [],
    help: 'Objects created, changed or deleted by commits.',
    act: 'Nothing: a measure of the work.',
  },
  committedBytes: {
    name: 'kubekeeper_committed_bytes_total',
    type: 'counter',
    labels: [],
    help: 'Bytes that commits wrote, before consolidations shrank them.',
    act: 'With kubekeeper_data_directory_free_bytes: how long the disk lasts.',
  },
  commitDuration: {
    name: 'kubekeeper_commit_duration_seconds',
    type: 'histogram',
    labels: [],
    buckets: SECONDS,
    help: 'From the end of a window until its commit was on the disk.',
    act: 'Above a second: a slow disk (each commit waits for fsync).',
  },
  lastCommit: {
    name: 'kubekeeper_last_commit_timestamp_seconds',
    type: 'gauge',
    labels: ['target_namespace'],
    help: `When a repository got its last commit of this process; the ${MOST_REPOSITORIES} newest.`,
    act: 'Nothing: a quiet namespace has no commits.',
  },
  heldDeletions: {
    name: 'kubekeeper_held_deletions',
    type: 'gauge',
    labels: ['target_namespace'],
    help: 'Objects that a list no longer named and that are kept in Git until a person agrees: more than half of the repository.',
    act: 'Look whether the objects are really gone; then `kubekeeper allow-deletions NAMESPACE`.',
  },
  allowedDeletions: {
    name: 'kubekeeper_allowed_deletions_total',
    type: 'counter',
    labels: [],
    help: 'Held deletions that a person allowed.',
    act: 'Nothing.',
  },
  consolidations: {
    name: 'kubekeeper_consolidations_total',
    type: 'counter',
    labels: ['result'],
    help: 'Consolidations of packs: success or failure.',
    act: 'A failure loses nothing and is tried again; if it goes on, see the log line `consolidation-failed` and run `kubekeeper verify`.',
  },
  storageFailures: {
    name: 'kubekeeper_storage_failures_total',
    type: 'counter',
    labels: [],
    help: 'Writes into the data directory that failed.',
    act: 'See kubekeeper_storage_failing_repositories.',
  },
  storageFailing: {
    name: 'kubekeeper_storage_failing_repositories',
    type: 'gauge',
    labels: [],
    help: 'Repositories whose last write failed and that wait to be written again.',
    act: 'Give the volume space or mend it: it goes on by itself within a minute.',
  },
  mergedProposals: {
    name: 'kubekeeper_merged_proposals_total',
    type: 'counter',
    labels: ['result'],
    help: 'Restores that were proposed as pull requests and merged, by what became of them: applied, refused or failed.',
    act: 'Refused: the pull request says why. Failed: it is tried again; the log line `merged` has the reason.',
  },
  quarantines: {
    name: 'kubekeeper_quarantines_total',
    type: 'counter',
    labels: ['source'],
    help: 'Damaged repositories that were set aside, by what the new one was made from: remote, salvage or nothing.',
    act: 'See kubekeeper_last_quarantine_timestamp_seconds.',
  },
  lastQuarantine: {
    name: 'kubekeeper_last_quarantine_timestamp_seconds',
    type: 'gauge',
    labels: ['target_namespace'],
    help: 'When a damaged repository was set aside, in this process.',
    act: 'Check the disk. The log line `quarantined` says where the damaged one lies and what was saved.',
  },
  newLines: {
    name: 'kubekeeper_new_lines_total',
    type: 'counter',
    labels: [],
    help: 'Namespaces that were deleted and made again, so that a new line of history began.',
    act: 'Nothing: the log line `new-line` says where the old line is.',
  },
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
  unpushedRepositories: {
    name: 'kubekeeper_unpushed_repositories',
    type: 'gauge',
    labels: [],
    help: 'Repositories with commits that the remote does not have; 0 without a remote.',
    act: 'See kubekeeper_oldest_unpushed_change_age_seconds.',
  },
  oldestUnpushed: {
    name: 'kubekeeper_oldest_unpushed_change_age_seconds',
    type: 'gauge',
    labels: [],
    help: 'Age of the oldest commit that the remote does not have; 0 when all is pushed, and without a remote.',
    act: 'Above 15 minutes: kubekeeper_push_failures_total and the log line `push-failed` say why. Nothing is lost meanwhile.',
  },
  unpushed: {
    name: 'kubekeeper_unpushed_change_age_seconds',
    type: 'gauge',
    labels: ['target_namespace'],
    help: `The same per repository, only for those with such commits; the ${MOST_UNPUSHED} oldest.`,
    act: 'One alone: its remote repository. All: the Git server or the network.',
  },
  pushes: {
    name: 'kubekeeper_pushes_total',
    type: 'counter',
    labels: ['result'],
    help: 'Pushes: success; failure counts the first of a row and each one for another reason.',
    act: 'See kubekeeper_push_failures_total.',
  },
  pushFailures: {
    name: 'kubekeeper_push_failures_total',
    type: 'counter',
    labels: ['code'],
    help: 'Failed pushes by code; the first of a row and each one for another reason.',
    act: 'REMOTE_UNREACHABLE passes by itself. All other codes need a person; see kubekeeper_stalled_repositories.',
  },
  pushDuration: {
    name: 'kubekeeper_push_duration_seconds',
    type: 'histogram',
    labels: [],
    buckets: SECONDS,
    help: 'Duration of pushes that succeeded.',
    act: 'Slow for all repositories: the Git server or the network.',
  },
  pushedCommits: {
    name: 'kubekeeper_pushed_commits_total',
    type: 'counter',
    labels: [],
    help: 'Commits that reached the remote.',
    act: 'Nothing.',
  },
  pushedBytes: {
    name: 'kubekeeper_pushed_bytes_total',
    type: 'counter',
    labels: [],
    help: 'Bytes of the packs that were pushed.',
    act: 'Nothing.',
  },
  stalled: {
    name: 'kubekeeper_stalled_repositories',
    type: 'gauge',
    labels: ['reason'],
    help: 'Repositories whose push waits for a person, by reason. Commits go on locally.',
    act: 'The log line `stalled` names each repository and says what to do.',
  },
  remotesCreated: {
    name: 'kubekeeper_remote_repositories_created_total',
    type: 'counter',
    labels: [],
    help: 'Repositories that were made at the forge.',
    act: 'Nothing.',
  },
  adoptedCommits: {
    name: 'kubekeeper_adopted_commits_total',
    type: 'counter',
    labels: [],
    help: 'Commits taken over from the remote, where ours had none or was behind.',
    act: 'Expected after the volume was lost, else ask who commits there.',
  },
  freeBytes: {
    name: 'kubekeeper_data_directory_free_bytes',
    type: 'gauge',
    labels: [],
    help: 'Space that is left for us in the file system of the data directory.',
    act: 'Enlarge the volume before it is full.',
  },
  sizeBytes: {
    name: 'kubekeeper_data_directory_size_bytes',
    type: 'gauge',
    labels: [],
    help: 'Size of the file system of the data directory.',
    act: 'Nothing.',
  },
  loopLag: {
    name: 'kubekeeper_event_loop_lag_seconds',
    type: 'histogram',
    labels: [],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    help: 'How late a timer came that fires twice a second: while it is late nothing else is answered.',
    act: 'Often above 0.5 s: too little CPU.',
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    labels: [],
    help: 'CPU time that the process used.',
    act: 'Near the limit for long: raise it.',
  },
  startTime: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    labels: [],
    help: 'When the process began.',
    act: 'Young again and again: it crashes; see the log of the one before (`kubectl logs --previous`).',
  },
  residentBytes: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    labels: [],
    help: 'Memory of the process.',
    act: 'Near the limit: raise it; it grows with the number of objects.',
  },
  heapBytes: {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    labels: [],
    help: "JavaScript's part of the memory.",
    act: 'Grows for days: a leak, please report it.',
  },
  openFiles: {
    name: 'process_open_fds',
    type: 'gauge',
    labels: [],
    help: 'Open files and connections; 0 where the system does not tell.',
    act: 'Near process_max_fds: raise the limit.',
  },
  mostFiles: {
    name: 'process_max_fds',
    type: 'gauge',
    labels: [],
    help: 'How many of them may be open; 0 where the system does not tell or sets no limit.',
    act: 'Nothing.',
  },
} as const satisfies Readonly<Record<string, Metric>>;

type Table = typeof METRICS;

/** The keys of all metrics of one type. */
export type MetricOf<Type extends Metric['type']> = {
  [Key in keyof Table]: Table[Key]['type'] extends Type ? Key : never;
}[keyof Table];
