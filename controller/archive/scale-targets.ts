import {
  groupOf,
  type KubeObject,
  objectAt,
  type Resource,
  type ResourceName,
  resourceName,
  stringAt,
} from '../core/object.ts';
import type { ScaleTarget } from '../core/sanitise-options.ts';
import { parseManifest } from './parse-manifest.ts';
import type { Space } from './space.ts';

/** Which objects an autoscaler names, so that their replicas are its business. Known from the archive before the first list comes. */

/** Autoscalers, with the kind that their target has when they name none. */
const AUTOSCALERS: ReadonlyMap<ResourceName, ScaleTarget['kind']> = new Map([
  ['horizontalpodautoscalers.autoscaling', ''],
  ['scaledobjects.keda.sh', 'Deployment'],
]);

export class ScaleTargets {
  /** By autoscaler: its target. */
  readonly #targets = new Map<string, string>();

  /** Reads what the repositories hold: after a restart the objects may be listed before their autoscalers. */
  async recall(spaces: readonly Space[]): Promise<void> {
    for (const { repository } of spaces) {
      for (const resource of AUTOSCALERS.keys()) {
        for (const { path } of [...repository.files(resource)]) {
          const bytes = await repository.readFile(path);
          const object = bytes === undefined ? undefined : parseManifest(bytes);
          if (object !== undefined) this.#keep(resource, object);
        }
      }
    }
  }

  note(resource: Pick<Resource, 'group' | 'plural'>, object: KubeObject): void {
    const name = resourceName(resource);
    if (AUTOSCALERS.has(name)) this.#keep(name, object);
  }

  forget(resource: Pick<Resource, 'group' | 'plural'>, object: KubeObject): void {
    const name = resourceName(resource);
    if (AUTOSCALERS.has(name)) this.#targets.delete(autoscalerKey(name, object));
  }

  has(target: ScaleTarget): boolean {
    if (this.#targets.size === 0) return false;
    const wanted = targetKey(target);
    for (const key of this.#targets.values()) if (key === wanted) return true;
    return false;
  }

  #keep(resource: ResourceName, object: KubeObject): void {
    const named = objectAt(objectAt(object, 'spec'), 'scaleTargetRef');
    const name = stringAt(named, 'name');
    if (name === undefined) return;
    const kind = stringAt(named, 'kind') ?? AUTOSCALERS.get(resource) ?? '';
    const group = groupOf(stringAt(named, 'apiVersion') ?? 'apps/v1');
    const namespace = stringAt(object.metadata, 'namespace') ?? '';
    this.#targets.set(autoscalerKey(resource, object), targetKey({ namespace, group, kind, name }));
  }
}

function autoscalerKey(resource: ResourceName, object: KubeObject): string {
  return `${resource}/${stringAt(object.metadata, 'namespace')}/${object.metadata.name}`;
}

/** No part can hold a slash. */
function targetKey({ namespace, group, kind, name }: ScaleTarget): string {
  return `${namespace}/${group}/${kind}/${name}`;
}
