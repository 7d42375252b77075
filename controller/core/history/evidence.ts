import { arrayAt, type KubeObject, objectAt, stringAt } from '../object.ts';

/** What was true of a namespace's workloads at one moment, counted from the live objects: the evidence of a known-good state. */

export interface Count {
  readonly available: number;
  readonly desired: number;
  /** Names of those that are not. */
  readonly missing: readonly string[];
}

/** 'unknown' where it could not be read. */
export interface Evidence {
  readonly at: Date;
  /** Undefined for `_cluster`, which has none. */
  readonly workloads: WorkloadEvidence | undefined;
  /** How many objects differ from HEAD. */
  readonly drifted: number | 'unknown';
}

export interface WorkloadEvidence {
  readonly deployments: Count | 'unknown';
  readonly statefulSets: Count | 'unknown';
  readonly daemonSets: Count | 'unknown';
  /** Pods that nothing makes again. */
  readonly barePods: Count | 'unknown';
  readonly failedJobs: readonly string[] | 'unknown';
}

export type Workload = 'deployments' | 'statefulSets' | 'daemonSets' | 'barePods';

/** Counts as available what has all that it should have and has seen its newest specification. */
export function countAvailable(workload: Workload, objects: readonly KubeObject[]): Count {
  const counted = workload === 'barePods' ? objects.filter(isBare) : objects;
  const missing = counted.filter((object) => !IS_AVAILABLE[workload](object)).map(({ metadata }) => metadata.name);
  return { available: counted.length - missing.length, desired: counted.length, missing: missing.sort() };
}

export function failedJobs(jobs: readonly KubeObject[]): readonly string[] {
  return jobs
    .filter((job) => hasCondition(job, 'Failed'))
    .map(({ metadata }) => metadata.name)
    .sort();
}

const IS_AVAILABLE: Readonly<Record<Workload, (object: KubeObject) => boolean>> = {
  deployments: (object) => isCurrent(object) && numberAt(object, 'status', 'availableReplicas') >= replicasOf(object),
  statefulSets: (object) => isCurrent(object) && numberAt(object, 'status', 'availableReplicas') >= replicasOf(object),
  daemonSets: (object) =>
    isCurrent(object) &&
    numberAt(object, 'status', 'numberAvailable') >= numberAt(object, 'status', 'desiredNumberScheduled'),
  barePods: (object) => hasCondition(object, 'Ready') || stringAt(objectAt(object, 'status'), 'phase') === 'Succeeded',
};

function replicasOf(object: KubeObject): number {
  return objectAt(object, 'spec')?.['replicas'] === undefined ? 1 : numberAt(object, 'spec', 'replicas');
}

function isCurrent(object: KubeObject): boolean {
  return numberAt(object, 'status', 'observedGeneration') >= numberAt(object, 'metadata', 'generation');
}

function isBare(pod: KubeObject): boolean {
  return arrayAt(pod.metadata, 'ownerReferences').length === 0;
}

function hasCondition(object: KubeObject, type: string): boolean {
  const conditions = arrayAt(objectAt(object, 'status'), 'conditions');
  return conditions.some((one) => stringAt(one, 'type') === type && stringAt(one, 'status') === 'True');
}

function numberAt(object: KubeObject, part: string, key: string): number {
  const value = objectAt(object, part)?.[key];
  return typeof value === 'number' ? value : 0;
}

/** Trailers for the end of a tag's message: people read them, and so do machines. */
export function renderEvidence(evidence: Evidence | 'afterwards' | 'unknown'): string {
  if (evidence === 'afterwards') return 'Evidence: none, tagged afterwards';
  if (evidence === 'unknown') return 'Evidence: none, the cluster did not answer';
  const { at, workloads, drifted } = evidence;
  const isEqual = drifted === 0 ? 'yes' : `no, ${drifted} ${drifted === 1 ? 'object differs' : 'objects differ'}`;
  return [
    `Evidence: counted at ${at.toISOString().slice(0, 19)}Z`,
    ...(workloads === undefined ? [] : renderWorkloads(workloads)),
    `Live-Equals-Head: ${drifted === 'unknown' ? drifted : isEqual}`,
  ].join('\n');
}

function renderWorkloads({ failedJobs, ...workloads }: WorkloadEvidence): readonly string[] {
  return [
    `Deployments: ${renderCount(workloads.deployments, 'available')}`,
    `StatefulSets: ${renderCount(workloads.statefulSets, 'available')}`,
    `DaemonSets: ${renderCount(workloads.daemonSets, 'available')}`,
    `Bare-Pods: ${renderCount(workloads.barePods, 'ready')}`,
    `Jobs-Failed: ${failedJobs === 'unknown' ? failedJobs : `${failedJobs.length}${named(failedJobs)}`}`,
  ];
}

function renderCount(count: Count | 'unknown', word: string): string {
  return count === 'unknown'
    ? 'unknown'
    : `${count.available} of ${count.desired} ${word}${named(count.missing, 'not ')}`;
}

const MOST_NAMED = 10;

function named(names: readonly string[], before = ''): string {
  if (names.length === 0) return '';
  const rest = names.length > MOST_NAMED ? `, ${names.length - MOST_NAMED} more` : '';
  return ` (${before}${names.slice(0, MOST_NAMED).join(', ')}${rest})`;
}
