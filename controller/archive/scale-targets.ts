import { type KubeObject, type Resource, type ResourceName, resourceName, stringAt } from '../core/object.ts';
import type { ScaleTarget } from '../core/sanitise-options.ts';
import { AUTOSCALERS, scaleTargetKey, scaleTargetOf } from '../core/scale-target.ts';
import { parseManifest } from './parse-manifest.ts';
import type { Space } from './space.ts';

/** Which objects an autoscaler names, so that their replicas are its business. Known from the archive before the first list comes. */

export class ScaleTargets {
  /** By autoscaler: its target. */
  readonly #targets = new Map<string, string>();

  /** Reads what the repositories hold: after a restart the objects may be listed before their autoscalers. */
  async recall(spaces: readonly Space[]): Promise<void> {
    for (const { repository } of spaces) {
      for (const resource of AUTOSCALERS) {
        for (const { path } of [...repository.files(resource)]) {
          const bytes = await repository.readFile(path);
          const object = bytes === undefined ? undefined : parseManifest(bytes);
          if (object !== undefined) this.#keep(resource, object);
        }
      }
    }
  }

  note(resource: Pick<Resource, 'group' | 'plural'>, object: KubeObject): void {
    this.#keep(resourceName(resource), object);
  }

  forget(resource: Pick<Resource, 'group' | 'plural'>, object: KubeObject): void {
    this.#targets.delete(autoscalerKey(resourceName(resource), object));
  }

  has(target: ScaleTarget): boolean {
    if (this.#targets.size === 0) return false;
    const wanted = scaleTargetKey(target);
    for (const key of this.#targets.values()) if (key === wanted) return true;
    return false;
  }

  #keep(resource: ResourceName, object: KubeObject): void {
    const target = scaleTargetOf(resource, object);
    if (target !== undefined) this.#targets.set(autoscalerKey(resource, object), scaleTargetKey(target));
  }
}

function autoscalerKey(resource: ResourceName, object: KubeObject): string {
  return `${resource}/${stringAt(object.metadata, 'namespace')}/${object.metadata.name}`;
}
