import { type Metric, MOST_UNPUSHED, SECONDS } from './metric.ts';

/** What goes to the remotes. */
export const PUBLISHING_METRICS = {
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
} as const satisfies Readonly<Record<string, Metric>>;
