import type { Json, KubeObject, Resource, ResourceName } from '../object.ts';
import type { Catalogue } from '../ports.ts';

/** What a restore needs of the world. Everything is done with the rights of who asked for it. */

type Endpoint = Pick<Resource, 'group' | 'version' | 'plural' | 'namespaced'>;

export interface ObjectPlace {
  readonly namespace?: string;
  readonly name: string;
}

/** One operation of a JSON Patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** Why the API server does not do it. Words of the server are one line, and without values where the object may hold secrets. */
export interface Refused {
  readonly status: number;
  /** Of the Status object: AlreadyExists, Invalid, Forbidden, Conflict, NotFound, ...; '' where there is none. */
  readonly reason: string;
  readonly message: string;
  /** The fields that it names, as it spells them: 'spec.selector'. */
  readonly causes: readonly { readonly field: string; readonly message: string }[];
}

export type WriteAnswer =
  /** `warnings`: of the server, such as a field that it does not know and dropped. */
  | { readonly ok: true; readonly object: KubeObject; readonly warnings?: readonly string[] }
  | { readonly ok: false; readonly refused: Refused };

export interface WriteOptions {
  /** The server does everything but store it (dryRun=All). */
  readonly dryRun: boolean;
  /** What is sent holds secret values: words of the server that may repeat them are withheld. Always so for Secrets. */
  readonly isSecret?: boolean;
  readonly signal?: AbortSignal;
}

export interface RemoveOptions extends WriteOptions {
  /** Only this very object, in this very state. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation: 'Foreground' | 'Background' | 'Orphan';
}

/**
 * The cluster that is restored into. Answers are the server's; what may pass (429, 5xx, cut connections, timeouts) is tried again for
 * up to two minutes and only then thrown as KeeperError; a create that was cut is looked up before it is sent again.
 * A resource that is not served answers `refused` with 404 and the reason NotServed.
 */
export interface RestoreTarget {
  /** Asked anew each time: what was just defined is served. `pinned`: the versions of the restore point, kept where they are served. */
  discover(options: {
    readonly pinned: ReadonlyMap<ResourceName, string>;
    readonly signal?: AbortSignal;
  }): Promise<Catalogue>;
  /** Undefined when it does not exist, also when its resource is not served. `forbidden` when it may not be read. */
  get(resource: Endpoint, place: ObjectPlace, signal?: AbortSignal): Promise<KubeObject | 'forbidden' | undefined>;
  /** All of one resource, in pages; 'forbidden' when it may not be listed. */
  list(
    resource: Endpoint,
    where: { readonly namespace?: string; readonly labelSelector?: string },
    signal?: AbortSignal,
  ): Promise<readonly KubeObject[] | 'forbidden'>;
  /** POST; the name in the object counts. */
  create(resource: Endpoint, object: KubeObject, options: WriteOptions): Promise<WriteAnswer>;
  /** PATCH with a JSON Patch under our field manager. */
  patch(
    resource: Endpoint,
    place: ObjectPlace,
    operations: readonly PatchOperation[],
    options: WriteOptions,
  ): Promise<WriteAnswer>;
  remove(resource: Endpoint, place: ObjectPlace, options: RemoveOptions): Promise<WriteAnswer>;
  /** SelfSubjectAccessReview: may the asker do this? */
  may(
    resource: Endpoint,
    verb: string,
    place: { readonly namespace?: string; readonly name?: string },
  ): Promise<boolean>;
}

/** Makes secret values of an archived object whole again. */
export interface SecretOpener {
  /**
   * `object` as it lies in Git. The same object when nothing in it is sealed. `closed`: pointers of values that cannot be had, and why
   * ('only a fingerprint is archived', 'no identity fits', ...); the object then still holds what stands for them.
   */
  open(
    object: KubeObject,
    where: { readonly repository: string; readonly path: string },
  ): Promise<{
    readonly object: KubeObject;
    readonly closed: readonly { readonly pointer: string; readonly why: string }[];
  }>;
}

/** Knows sealed values by what the archive says of them, without opening them. */
export interface SealedComparer {
  /** Of these pointers those that live has otherwise than the archived object, as far as that can be known. */
  differing(
    archived: KubeObject,
    live: KubeObject,
    pointers: readonly string[],
    where: { readonly repository: string; readonly path: string },
  ): readonly string[];
}
