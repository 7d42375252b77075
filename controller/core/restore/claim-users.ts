import { arrayAt, isJsonObject, type JsonObject, type KubeObject, objectAt, stringAt } from '../object.ts';

/** Who uses a claim: pods, and what makes them. */

export interface ControllerRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Pods that hold the claim, or will: one that has ended holds nothing. */
export function podsUsing(claim: string, pods: readonly KubeObject[]): readonly KubeObject[] {
  return pods.filter((pod) => {
    const phase = stringAt(objectAt(pod, 'status'), 'phase');
    if (phase === 'Succeeded' || phase === 'Failed') return false;
    return arrayAt(objectAt(pod, 'spec'), 'volumes').some(
      (volume) => stringAt(objectAt(volume, 'persistentVolumeClaim'), 'claimName') === claim,
    );
  });
}

export function controllerOf({ metadata }: KubeObject): ControllerRef | undefined {
  const found = arrayAt(metadata, 'ownerReferences').find(
    (owner): owner is JsonObject => isJsonObject(owner) && owner['controller'] === true,
  );
  if (found === undefined) return undefined;
  const [apiVersion = '', kind = '', name = '', uid = ''] = ['apiVersion', 'kind', 'name', 'uid'].map((key) =>
    stringAt(found, key),
  );
  return { apiVersion, kind, name, uid };
}

/** What can be stopped by its number of replicas, as `GROUP/KIND`. */
export const SCALED_KINDS: ReadonlySet<string> = new Set([
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/ReplicaSet',
  '/ReplicationController',
  'apps.openshift.io/DeploymentConfig',
]);

/** Why a workload cannot be stopped by scaling it; undefined when it can. */
export function unscalable(workload: KubeObject): string | undefined {
  const policy = objectAt(objectAt(workload, 'spec'), 'persistentVolumeClaimRetentionPolicy');
  return stringAt(policy, 'whenScaled') === 'Delete'
    ? 'it deletes its claims when it is scaled down (persistentVolumeClaimRetentionPolicy)'
    : undefined;
}
