import { type ResourceName, resourceName } from '../core/object.ts';
import type { OnSign } from '../core/signs.ts';

/** When each watch was last heard of. */
export class WatchSigns {
  readonly #now: () => number;
  readonly #last = new Map<ResourceName, Map<string, number>>();

  /** `now` is wall time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  readonly note: OnSign = (resource, namespace = '', sign) => {
    const name = resourceName(resource);
    const places = this.#last.get(name) ?? new Map<string, number>();
    if (sign.type === 'alive') places.set(namespace, this.#now());
    if (sign.type === 'ended') places.delete(namespace);
    if (places.size === 0) this.#last.delete(name);
    else this.#last.set(name, places);
  };

  /** Per resource the time of its longest silent watch. */
  *oldest(): Generator<readonly [ResourceName, number]> {
    for (const [name, places] of this.#last) yield [name, Math.min(...places.values())];
  }
}
