import { type KubeObject, objectAt, parseResourceName, type ResourceName, stringAt } from '../object.ts';
import { spellingOf } from './spellings.ts';

interface ReplacementPolicy {
  readonly allowed: boolean;
  /** What becomes of what depends on the object, or why it is not made again. */
  readonly why: string;
  readonly propagation: 'Orphan' | 'Background' | 'Foreground';
}

const NEVER: Readonly<Record<ResourceName, string>> = {
  namespaces: 'everything in the namespace would go with it',
  'customresourcedefinitions.apiextensions.k8s.io': 'all its objects would go with it',
  persistentvolumeclaims: 'the data of its volume could go with it',
  persistentvolumes: 'its data could be lost',
  nodes: 'a node registers itself',
};
/** Their pods carry on and are taken over by the new one. */
const ADOPTING: ReadonlySet<ResourceName> = new Set([
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'replicasets.apps',
  'replicationcontrollers',
  'deploymentconfigs.apps.openshift.io',
]);

const WORDS: Readonly<Record<ResourceName, string>> = {
  'jobs.batch': 'the Job is made again and runs from its beginning; its pods go',
  'cronjobs.batch': 'the CronJob is made again; runs that are under way go',
  pods: 'the pod is stopped and made again',
  services: 'the Service is made again: clients are cut off for a moment, a load balancer may get another address',
  secrets: 'the Secret is made again; pods see the new one when they start',
  configmaps: 'the ConfigMap is made again; pods see the new one when they start',
  serviceaccounts: 'the account is made again; its tokens end',
  'apiservices.apiregistration.k8s.io': 'what it serves is out of reach for a moment',
};

/**
 * May an object be deleted and made again because these fields cannot be changed, and how is it deleted? `live` is the one that
 * would go; without it the worst is taken for true.
 */
export function replacementPolicy(
  resource: ResourceName,
  fields: readonly string[],
  { live }: { readonly live?: KubeObject } = {},
): ReplacementPolicy {
  if (resource === 'persistentvolumeclaims' && live !== undefined && isUnbound(live)) {
    return { allowed: true, why: 'no volume is bound to the claim yet', propagation: 'Background' };
  }
  const never = Object.hasOwn(NEVER, resource) ? NEVER[resource] : undefined;
  if (never !== undefined) return { allowed: false, why: never, propagation: 'Foreground' };
  if (ADOPTING.has(resource)) return adoption(fields);
  const words = Object.hasOwn(WORDS, resource) ? WORDS[resource] : undefined;
  if (words !== undefined) return { allowed: true, why: words, propagation: 'Background' };
  if (spellingOf(resource) !== undefined || parseResourceName(resource).group.endsWith('.k8s.io')) {
    return { allowed: true, why: 'it is deleted and made again at once', propagation: 'Background' };
  }
  const why = 'it is deleted and made again at once; its controller may take down what it had made';
  return { allowed: true, why, propagation: 'Orphan' };
}

function adoption(fields: readonly string[]): ReplacementPolicy {
  const hasOtherSelector = fields.some((field) => /^spec\.selector(?:$|[.[])/.test(field));
  return hasOtherSelector
    ? {
        allowed: true,
        why: 'its pods have other labels, so they are stopped and made again',
        propagation: 'Background',
      }
    : { allowed: true, why: 'its pods go on running', propagation: 'Orphan' };
}

function isUnbound(claim: KubeObject): boolean {
  const volume = stringAt(objectAt(claim, 'spec'), 'volumeName') ?? '';
  return volume === '' && stringAt(objectAt(claim, 'status'), 'phase') === 'Pending';
}
