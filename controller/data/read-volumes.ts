import type { NamespaceVolumes } from '../core/data/snapshot-plan.ts';
import { CLAIMS, NAMESPACES, PODS, VOLUMES } from '../core/endpoints.ts';
import { type KubeObject, objectAt, stringAt } from '../core/object.ts';
import { allowed, type SnapshotCluster } from './snapshot-cluster.ts';

/** What a plan is made of, as it is in the cluster now. */

/** Above it one list is less than so many single questions. */
const FEW = 50;

/** Undefined where there is nothing to save: no claims, or a namespace that is being deleted. Throws KeeperError. */
export async function readVolumes(
  cluster: SnapshotCluster,
  namespace: string,
  signal: AbortSignal,
): Promise<NamespaceVolumes | undefined> {
  const { target } = cluster;
  const claims = allowed(await target.list(CLAIMS, { namespace }, signal), 'list persistentvolumeclaims');
  if (claims.length === 0) return undefined;
  const [owner, pods, volumes, snapshotClasses, groupSnapshotClasses] = await Promise.all([
    target.get(NAMESPACES, { name: namespace }, signal),
    target.list(PODS, { namespace }, signal),
    readBehind(cluster, claims, signal),
    cluster.classes('classes', signal),
    cluster.classes('groupClasses', signal),
  ]);
  if (owner === undefined || (owner !== 'forbidden' && isLeaving(owner))) return undefined;
  return { claims, pods: pods === 'forbidden' ? [] : pods, volumes, snapshotClasses, groupSnapshotClasses };
}

export function isLeaving(object: KubeObject): boolean {
  return stringAt(object.metadata, 'deletionTimestamp') !== undefined;
}

/** PersistentVolumes by name; without those that may not be read. */
async function readBehind(
  { target }: SnapshotCluster,
  claims: readonly KubeObject[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KubeObject>> {
  const names = claims.flatMap((claim) => stringAt(objectAt(claim, 'spec'), 'volumeName') ?? []);
  const read = async () => {
    if (names.length <= FEW) return Promise.all(names.map((name) => target.get(VOLUMES, { name }, signal)));
    const found = await target.list(VOLUMES, {}, signal);
    return found === 'forbidden' ? [] : found;
  };
  const volumes = (await read()).filter((one): one is KubeObject => typeof one === 'object');
  return new Map(volumes.map((volume) => [volume.metadata.name, volume]));
}
