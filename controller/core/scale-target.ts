import { groupOf, type KubeObject, objectAt, type ResourceName, stringAt } from './object.ts';
import type { ScaleTarget } from './sanitise-options.ts';

/** Whom an autoscaler scales: the replicas of that object are its business. */

/** Autoscalers, with the kind that their target has when they name none. */
const TARGET_KINDS: ReadonlyMap<ResourceName, ScaleTarget['kind']> = new Map([
  ['horizontalpodautoscalers.autoscaling', ''],
  ['scaledobjects.keda.sh', 'Deployment'],
]);

export const AUTOSCALERS: readonly ResourceName[] = [...TARGET_KINDS.keys()];

/** Undefined for what is no autoscaler, or names nobody. */
export function scaleTargetOf(resource: ResourceName, autoscaler: KubeObject): ScaleTarget | undefined {
  const kindUnlessNamed = TARGET_KINDS.get(resource);
  if (kindUnlessNamed === undefined) return undefined;
  const named = objectAt(objectAt(autoscaler, 'spec'), 'scaleTargetRef');
  const name = stringAt(named, 'name');
  if (name === undefined) return undefined;
  return {
    namespace: stringAt(autoscaler.metadata, 'namespace') ?? '',
    group: groupOf(stringAt(named, 'apiVersion') ?? 'apps/v1'),
    kind: stringAt(named, 'kind') ?? kindUnlessNamed,
    name,
  };
}

/** For sets and maps; no part can hold a slash. */
export function scaleTargetKey({ namespace, group, kind, name }: ScaleTarget): string {
  return `${namespace}/${group}/${kind}/${name}`;
}
