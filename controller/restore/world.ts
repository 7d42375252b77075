import { NAMESPACES } from '../core/endpoints.ts';
import { type KubeObject, type Resource, type ResourceName, resourceName, stringAt } from '../core/object.ts';
import type { Catalogue } from '../core/ports.ts';
import type { Plan } from '../core/restore/plan.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import { AUTOSCALERS, scaleTargetKey, scaleTargetOf } from '../core/scale-target.ts';
import type { RestorePoint } from './restore-point.ts';

/** What is known of the cluster that is restored into before the first object is looked at. */

export interface World {
  readonly catalogue: Catalogue;
  /** Served, in the version of the restore point where that is served still. */
  readonly resources: ReadonlyMap<ResourceName, Resource>;
  /** Undefined when it does not live, and in `_cluster`. */
  readonly namespace: KubeObject | undefined;
  /** Namespaced objects can be asked about: the namespace lives and is not being deleted. */
  readonly isThere: boolean;
  /** All of a resource that can be meant, by name; read once. */
  live(resource: Resource): Promise<ReadonlyMap<string, KubeObject> | 'forbidden'>;
  /** What was read of a resource is not needed any more. */
  forget(resource: ResourceName): void;
}

export async function readWorld(
  target: RestoreTarget,
  point: Pick<RestorePoint, 'file'>,
  to: Pick<Plan['target'], 'namespace'>,
  signal: AbortSignal,
): Promise<World> {
  const [catalogue, namespace] = await Promise.all([
    target.discover({ pinned: point.file.resources, signal }),
    to.namespace === '' ? undefined : readNamespace(target, to.namespace, signal),
  ]);
  const resources = new Map(catalogue.resources.map((resource) => [resourceName(resource), resource]));
  const known = new Map<ResourceName, Promise<ReadonlyMap<string, KubeObject> | 'forbidden'>>();
  const isThere = to.namespace === '' || (namespace !== undefined && !isTerminating(namespace));
  const list = async (resource: Resource) => {
    if (resourceName(resource) === 'namespaces')
      return new Map<string, KubeObject>(namespace === undefined ? [] : [[to.namespace, namespace]]);
    if (resource.namespaced && namespace === undefined) return new Map<string, KubeObject>();
    const found = await target.list(resource, resource.namespaced ? { namespace: to.namespace } : {}, signal);
    return found === 'forbidden' ? found : new Map(found.map((object) => [object.metadata.name, object]));
  };
  return {
    catalogue,
    resources,
    namespace,
    isThere,
    live: (resource) => {
      const name = resourceName(resource);
      const reading = known.get(name) ?? list(resource);
      known.set(name, reading);
      return reading;
    },
    forget: (resource) => void known.delete(resource),
  };
}

/** One that may not be read is taken as there: what is done in it tells. */
async function readNamespace(
  target: RestoreTarget,
  name: string,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const found = await target.get(NAMESPACES, { name }, signal);
  return found === 'forbidden' ? { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } : found;
}

export function isTerminating(object: KubeObject): boolean {
  return stringAt(object.metadata, 'deletionTimestamp') !== undefined;
}

/** Whom the autoscalers that live scale, by scaleTargetKey; those that may not be read scale nobody. */
export async function scaledIn({ resources, live }: World): Promise<ReadonlySet<string>> {
  const scaled = new Set<string>();
  for (const name of AUTOSCALERS) {
    const resource = resources.get(name);
    const autoscalers = resource === undefined ? 'forbidden' : await live(resource);
    if (autoscalers === 'forbidden') continue;
    for (const autoscaler of autoscalers.values()) {
      const target = scaleTargetOf(name, autoscaler);
      if (target !== undefined) scaled.add(scaleTargetKey(target));
    }
  }
  return scaled;
}
