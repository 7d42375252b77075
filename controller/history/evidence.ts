import {
  type Count,
  countAvailable,
  failedJobs,
  type Workload,
  type WorkloadEvidence,
} from '../core/history/evidence.ts';
import type { KubeObject, Resource } from '../core/object.ts';
import type { Cluster } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';

/** Counts a namespace's workloads in the live cluster. */

type Endpoint = Pick<Resource, 'group' | 'plural' | 'kind'>;

const COUNTED: Readonly<Record<Workload | 'jobs', Endpoint>> = {
  deployments: { group: 'apps', plural: 'deployments', kind: 'Deployment' },
  statefulSets: { group: 'apps', plural: 'statefulsets', kind: 'StatefulSet' },
  daemonSets: { group: 'apps', plural: 'daemonsets', kind: 'DaemonSet' },
  barePods: { group: '', plural: 'pods', kind: 'Pod' },
  jobs: { group: 'batch', plural: 'jobs', kind: 'Job' },
};

/** What may not be read is unknown, and not guessed. Throws KeeperError when the cluster cannot be reached. */
export async function countWorkloads(
  cluster: Cluster,
  namespace: string,
  signal: AbortSignal,
): Promise<WorkloadEvidence> {
  const list = (endpoint: Endpoint) => listAll(cluster, endpoint, namespace, signal);
  const count = async (workload: Workload): Promise<Count | 'unknown'> => {
    const objects = await list(COUNTED[workload]);
    return objects === 'unknown' ? objects : countAvailable(workload, objects);
  };
  const [deployments, statefulSets, daemonSets, barePods, jobs] = await Promise.all([
    count('deployments'),
    count('statefulSets'),
    count('daemonSets'),
    count('barePods'),
    list(COUNTED.jobs),
  ]);
  const failed = jobs === 'unknown' ? jobs : failedJobs(jobs);
  return { deployments, statefulSets, daemonSets, barePods, failedJobs: failed };
}

async function listAll(
  cluster: Cluster,
  endpoint: Endpoint,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | 'unknown'> {
  const resource = { ...endpoint, version: 'v1', namespaced: true, verbs: ['list', 'watch'] };
  const objects: KubeObject[] = [];
  try {
    for await (const change of cluster.listWatch(resource, { namespace, signal, once: true })) {
      if (change.type === 'applied') objects.push(change.object);
      if (change.type === 'skipped') return 'unknown';
    }
    return objects;
  } catch (error) {
    if (error instanceof KeeperError && UNREADABLE.has(error.code)) return 'unknown';
    throw error;
  }
}

const UNREADABLE: ReadonlySet<string> = new Set(['RESOURCE_FORBIDDEN', 'RESOURCE_NOT_SERVED', 'RESOURCE_UNAVAILABLE']);
