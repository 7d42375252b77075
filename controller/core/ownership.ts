import {
  arrayAt,
  groupOf,
  isJsonObject,
  type Json,
  type KubeObject,
  objectAt,
  type ResourceName,
  stringAt,
} from './object.ts';

/** Objects that a controller makes again from another object are left out: their owner is the intent. */

/**
 * Data that no controller can make again the same: a Secret holds a generated password or key, a ConfigMap may hold what was
 * learnt, a claim is the way to its bytes. They stay, whoever owns them.
 */
const DATA_BEARING: ReadonlySet<ResourceName> = new Set(['secrets', 'configmaps', 'persistentvolumeclaims']);

export interface OwnershipOptions {
  readonly includeOwned: boolean;
  /** Is the owner's kind in the archive, or left out because it is owned itself? Without it, every kind is. */
  readonly isArchived?: (group: string, kind: string) => boolean;
}

/** Is the object one that the controller of an archived object makes again? */
export function isOwned(object: KubeObject, resource: ResourceName, options: OwnershipOptions): boolean {
  if (options.includeOwned || DATA_BEARING.has(resource)) return false;
  const owner = controllerOf(object);
  if (owner === undefined) return false;
  return options.isArchived === undefined || options.isArchived(groupOf(owner.apiVersion), owner.kind);
}

/** The one ownerReference that says `controller: true`, if any (the API server allows no second). */
function controllerOf(object: KubeObject): { apiVersion: string; kind: string; name: string } | undefined {
  const references: readonly Json[] = arrayAt(objectAt(object, 'metadata'), 'ownerReferences');
  for (const reference of references) {
    if (!isJsonObject(reference) || reference['controller'] !== true) continue;
    const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((key) => stringAt(reference, key));
    if (apiVersion !== undefined && kind !== undefined && name !== undefined) return { apiVersion, kind, name };
  }
  return undefined;
}
