import type { Change } from '../core/change.ts';
import {
  arrayAt,
  isJsonObject,
  type Json,
  type KubeObject,
  objectAt,
  type Resource,
  type ResourceName,
  resourceName,
  stringAt,
} from '../core/object.ts';
import type { Catalogue } from '../core/ports.ts';

/** What decides which resources are served: CustomResourceDefinitions and APIServices. */

const READ = { version: 'v1', namespaced: false, verbs: ['get', 'list', 'watch'] };

export const DEFINITIONS: readonly Resource[] = [
  { ...READ, group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition' },
  { ...READ, group: 'apiregistration.k8s.io', plural: 'apiservices', kind: 'APIService' },
];

/** A definition as far as it matters here; the objects themselves are not kept (a CRD can have a megabyte). */
interface Definition {
  /** Differs when something changed that discovery will show. */
  readonly signature: string;
  /** What it must make the server serve; nothing for an APIService, and for what is not established or is being deleted. */
  readonly serves:
    | { readonly resource: ResourceName; readonly group: string; readonly versions: readonly string[] }
    | undefined;
}

/** Follows the definitions of one kind by their changes. */
export class DefinitionTracker {
  readonly #known = new Map<string, Definition>();
  readonly #removed = new Set<ResourceName>();
  #listed: Set<string> | undefined;
  /** They cannot be watched now. */
  isBlind = false;

  /** Answers whether discovery is to be asked again. */
  take(change: Change): boolean {
    switch (change.type) {
      case 'listing':
        this.#listed = new Set();
        return false;
      case 'applied':
        this.#listed?.add(change.object.metadata.name);
        return this.#apply(change.object);
      case 'deleted':
        return this.#remove(change.object.metadata.name);
      case 'synced':
        return this.#synced();
      case 'skipped':
        this.isBlind = true;
        return true;
      default:
        return change satisfies never;
    }
  }

  /** What should be served and is not in the catalogue. */
  missingFrom(
    catalogue: Catalogue,
  ): readonly { readonly resource: ResourceName; readonly group: string; readonly version: string }[] {
    return [...this.#known.values()].flatMap(({ serves }) => {
      if (serves === undefined) return [];
      const { resource, group, versions } = serves;
      const served = catalogue.served.get(resource) ?? [];
      return versions.filter((version) => !served.includes(version)).map((version) => ({ resource, group, version }));
    });
  }

  /** Is something that was removed still in the catalogue? What is not there any more is forgotten. */
  stillShows(catalogue: Catalogue): boolean {
    for (const name of this.#removed) if (!catalogue.served.has(name)) this.#removed.delete(name);
    return this.#removed.size > 0;
  }

  #apply(object: KubeObject): boolean {
    const before = this.#known.get(object.metadata.name);
    const after = describe(object);
    this.#known.set(object.metadata.name, after);
    if (after.serves !== undefined) this.#removed.delete(after.serves.resource);
    return before?.signature !== after.signature;
  }

  #remove(name: string): boolean {
    const { serves } = this.#known.get(name) ?? {};
    if (serves !== undefined) this.#removed.add(serves.resource);
    return this.#known.delete(name);
  }

  #synced(): boolean {
    const gone = [...this.#known.keys()].filter((name) => this.#listed?.has(name) === false);
    for (const name of gone) this.#remove(name);
    this.#listed = undefined;
    const wasBlind = this.isBlind;
    this.isBlind = false;
    return wasBlind || gone.length > 0;
  }
}

function describe(object: KubeObject): Definition {
  const spec = objectAt(object, 'spec');
  const group = stringAt(spec, 'group') ?? '';
  const conditions = arrayAt(objectAt(object, 'status'), 'conditions').map(
    (condition) => `${stringAt(condition, 'type')}=${stringAt(condition, 'status')}`,
  );
  const versions = arrayAt(spec, 'versions')
    .filter(isServed)
    .map((version) => stringAt(version, 'name') ?? '');
  const isEstablished =
    conditions.includes('Established=True') && stringAt(object.metadata, 'deletionTimestamp') === undefined;
  const plural = stringAt(objectAt(spec, 'names'), 'plural') ?? '';
  const resource = resourceName({ group, plural });
  return {
    signature: JSON.stringify([object.metadata['uid'], isEstablished, versions, conditions.sort()]),
    serves: isEstablished ? { resource, group, versions } : undefined,
  };
}

function isServed(version: Json): boolean {
  return isJsonObject(version) && version['served'] === true;
}
