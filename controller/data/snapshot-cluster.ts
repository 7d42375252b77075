import { RESTORE_LABELS, selectorOf } from '../core/data/snapshot-names.ts';
import { type KubeObject, type Resource, resourceName } from '../core/object.ts';
import type { Clock } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import type { SnapshotTarget } from './engine.ts';

/** The cluster's snapshot objects, in the versions that it serves. */

const SNAPSHOTS = 'snapshot.storage.k8s.io';
const GROUPS = 'groupsnapshot.storage.k8s.io';

const RESOURCES = {
  snapshots: `volumesnapshots.${SNAPSHOTS}`,
  contents: `volumesnapshotcontents.${SNAPSHOTS}`,
  classes: `volumesnapshotclasses.${SNAPSHOTS}`,
  groups: `volumegroupsnapshots.${GROUPS}`,
  groupContents: `volumegroupsnapshotcontents.${GROUPS}`,
  groupClasses: `volumegroupsnapshotclasses.${GROUPS}`,
} as const;

export type SnapshotResource = keyof typeof RESOURCES;
type Served = Readonly<Partial<Record<SnapshotResource, Resource>>>;

/** A driver, its classes or groups are installed once, and many commits ask. */
const FRESH_MS = 30_000;

interface Place {
  readonly namespace?: string;
  readonly name: string;
}

export class SnapshotCluster {
  readonly target: SnapshotTarget;
  readonly #clock: Clock;
  #served: { readonly at: number; readonly value: Served } | undefined;
  #restores: { readonly at: number; readonly value: readonly KubeObject[] } | undefined;
  readonly #classes = new Map<
    SnapshotResource,
    { readonly at: number; readonly value: readonly KubeObject[] | undefined }
  >();

  constructor(target: SnapshotTarget, clock: Clock) {
    this.target = target;
    this.#clock = clock;
  }

  async served(signal: AbortSignal): Promise<Served> {
    if (this.#served !== undefined && this.#isFresh(this.#served)) return this.#served.value;
    const { resources } = await this.target.discover({ pinned: new Map(), signal });
    const byName = new Map(resources.map((resource) => [resourceName(resource), resource]));
    const found = Object.entries(RESOURCES).map(([key, name]) => [key, byName.get(name)] as const);
    const value = Object.fromEntries(found.filter(([, resource]) => resource !== undefined)) as Served;
    this.#served = { at: this.#clock.monotonic(), value };
    return value;
  }

  /** Undefined where they are not served or may not be read. */
  async classes(kind: 'classes' | 'groupClasses', signal: AbortSignal): Promise<readonly KubeObject[] | undefined> {
    const known = this.#classes.get(kind);
    if (known !== undefined && this.#isFresh(known)) return known.value;
    const resource = (await this.served(signal))[kind];
    const found = resource === undefined ? undefined : await this.target.list(resource, {}, signal);
    const value = found === 'forbidden' ? undefined : found;
    this.#classes.set(kind, { at: this.#clock.monotonic(), value });
    return value;
  }

  /** Throws RESOURCE_NOT_SERVED: the definitions of snapshots may come back. */
  async resource(kind: SnapshotResource, signal: AbortSignal): Promise<Resource> {
    const resource = (await this.served(signal))[kind];
    if (resource !== undefined) return resource;
    this.#served = undefined;
    throw new KeeperError(`The cluster does not serve ${RESOURCES[kind]} (any more); snapshots are left as they are`, {
      kind: 'transient',
      code: 'RESOURCE_NOT_SERVED',
    });
  }

  /** Undefined when it is not there. Throws RESOURCE_FORBIDDEN. */
  async get(kind: SnapshotResource, place: Place, signal: AbortSignal): Promise<KubeObject | undefined> {
    const found = await this.target.get(await this.resource(kind, signal), place, signal);
    return allowed(found, `read ${RESOURCES[kind]}/${place.name}`);
  }

  async list(
    kind: SnapshotResource,
    where: { readonly namespace?: string; readonly labelSelector?: string },
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]> {
    const found = await this.target.list(await this.resource(kind, signal), where, signal);
    return allowed(found, `list ${RESOURCES[kind]}`);
  }

  /** Contents that restores left, of all namespaces: at a start every namespace asks. */
  async restoreContents(signal: AbortSignal): Promise<readonly KubeObject[]> {
    if (this.#restores !== undefined && this.#isFresh(this.#restores)) return this.#restores.value;
    const value = await this.list('contents', { labelSelector: selectorOf(RESTORE_LABELS) }, signal);
    this.#restores = { at: this.#clock.monotonic(), value };
    return value;
  }

  #isFresh({ at }: { readonly at: number }): boolean {
    return this.#clock.monotonic() - at < FRESH_MS;
  }
}

export function allowed<T>(found: T | 'forbidden', doing: string): T {
  if (found !== 'forbidden') return found;
  throw new KeeperError(`May not ${doing}; no snapshot was changed, see config/rbac/archiver.yaml for the rights`, {
    kind: 'stalled',
    code: 'RESOURCE_FORBIDDEN',
  });
}
