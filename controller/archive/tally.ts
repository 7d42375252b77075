import { type Resource, type ResourceName, resourceName } from '../core/object.ts';

/** Counts per resource for the report: how many objects, how many changed, what was left out and why. */

export interface ResourceTally {
  readonly resource: ResourceName;
  objects: number;
  changed: number;
  /** Kept in the file but never the only reason for a commit: how often that held a commit back. */
  held: number;
  readonly leftOut: Map<string, number>;
}

export class Tally {
  readonly #resources = new Map<ResourceName, ResourceTally>();

  of(resource: Pick<Resource, 'group' | 'plural'>): ResourceTally {
    return this.named(resourceName(resource));
  }

  named(name: ResourceName): ResourceTally {
    let tally = this.#resources.get(name);
    if (tally === undefined) {
      tally = { resource: name, objects: 0, changed: 0, held: 0, leftOut: new Map() };
      this.#resources.set(name, tally);
    }
    return tally;
  }

  /** Everything is taken anew. */
  clear(): void {
    this.#resources.clear();
  }

  /** Sorted by name. */
  all(): readonly ResourceTally[] {
    return [...this.#resources.values()].sort((left, right) => (left.resource < right.resource ? -1 : 1));
  }
}

export function countLeftOut(tally: ResourceTally, reason: string): void {
  tally.leftOut.set(reason, (tally.leftOut.get(reason) ?? 0) + 1);
}
