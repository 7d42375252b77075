import type { Change } from './change.ts';
import type { KubeObject, Resource, ResourceName } from './object.ts';

/** What the flows need of the world. Contracts, not lists: an implementation and a scripted one in tests obey the same words. */

/** What the cluster serves, in the versions chosen for the archive. */
export interface Catalogue {
  readonly resources: readonly Resource[];
  /** Groups that are registered but do not answer; nothing of theirs may be taken for deleted. */
  readonly unavailable: readonly { readonly group: string; readonly version: string; readonly reason: string }[];
  /** All served versions of each resource, the preferred one first. */
  readonly served: ReadonlyMap<ResourceName, readonly string[]>;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** End after the first complete list; a failure is thrown instead of retried. */
  readonly once?: boolean;
}

export interface Cluster {
  /** The first catalogue, or a KeeperError when the cluster cannot be reached. */
  discover(options: {
    readonly signal?: AbortSignal;
    readonly pinned: ReadonlyMap<ResourceName, string>;
  }): Promise<Catalogue>;
  /** A catalogue at once and a new one whenever something differs; never gives up. */
  watchCatalogue(options: {
    readonly signal: AbortSignal;
    readonly pinned: ReadonlyMap<ResourceName, string>;
  }): AsyncIterable<Catalogue>;
  /** All changes of a resource; never gives up unless `once`. Pulling is the backpressure. */
  listWatch(resource: Resource, options: WatchOptions): AsyncIterable<Change>;
  /** One object, or undefined when it does not exist. Throws KeeperError on anything else. */
  get(
    resource: Pick<Resource, 'group' | 'version' | 'plural' | 'namespaced'>,
    place: { readonly namespace?: string; readonly name: string },
  ): Promise<KubeObject | undefined>;
}

/** Makes the text of a manifest whose secret leaves must not be readable. */
export interface Sealer {
  readonly policy: 'fingerprint' | 'encrypt' | 'omit';
  /** Without reading: fingerprint and omit. Undefined when this policy needs `seal`. */
  seal(
    object: KubeObject,
    where: { readonly repository: string; readonly path: string },
    secrets: readonly string[],
    previous: () => Promise<string | undefined>,
  ): Promise<string>;
}

/** Wall and monotonic time, passed in so that tests can move it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  wall(): number;
  /** Milliseconds that only grow. */
  monotonic(): number;
}
