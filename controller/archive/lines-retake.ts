import type { Change } from '../core/change.ts';
import { CLUSTER_REPOSITORY, type KubeObject, type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Clock, Cluster } from '../core/ports.ts';
import { Gate } from '../core/streams.ts';
import { KeeperError } from '../errors.ts';
import type { Spaces } from './spaces.ts';

/**
 * A new line begins with nothing, and what its namespace holds may have been told before the namespace itself. So the one namespace is
 * listed once more, each resource at most four at a time; the watches of the whole cluster go on, and nobody else is listed again. The
 * same is done when a command asks for a commit of what lives now, which a watch may be about to tell.
 *
 * A watch that lags behind may still tell of the namespace that had the name before, or of what an object was before. Nothing of it may
 * follow what the list told, so a change waits for the list of its resource, and what is older than that list is passed over.
 */

const LISTS_AT_ONCE = 4;
/** How long after it has begun versions that are older than its own are doubted, in milliseconds. */
export interface Doubt {
  readonly watchesMs: number;
  readonly listsMs: number;
}

/** Somebody else may have had the name. A watch that lags behind longer than this was given up as silent long ago. */
export const DOUBT_NEW_LINE: Doubt = { watchesMs: 10 * 60_000, listsMs: Number.POSITIVE_INFINITY };
/** The objects are the same: late news is told and corrected by what follows. Short, since an etcd that was restored counts from less again. */
export const DOUBT_LATE: Doubt = { watchesMs: 60_000, listsMs: 60_000 };

export interface RetakeParts {
  readonly cluster: Pick<Cluster, 'listWatch'>;
  readonly clock: Clock;
  /** The name of its repository. */
  readonly namespace: string;
  /** Those with namespaces, and the namespaces themselves; of `_cluster` all others. */
  readonly resources: readonly Resource[];
  readonly labelSelector: string | undefined;
  /** A failure is told as skipped instead of tried again. */
  readonly once: boolean;
  readonly doubt: Doubt;
  /** What a change does; answers the place of an object that was taken. */
  readonly take: (change: Change, seen: ReadonlySet<string>) => Promise<string | undefined>;
  readonly skipped: (resource: Resource, error: Pick<KeeperError, 'message' | 'code'>) => void;
}

/** What is known of a change before it is taken. */
export interface Sighting {
  /** Of the object, or of the list that named it. */
  readonly resourceVersion: string | undefined;
  /** By a list, not by a watch. */
  readonly isListed: boolean;
}

interface List {
  /** Resolves when it is complete, or cannot be made now. */
  readonly settled: Promise<void>;
  version: bigint | undefined;
}

export class Retake {
  readonly #parts: RetakeParts;
  readonly #stop = new AbortController();
  readonly #gate = new Gate(LISTS_AT_ONCE);
  readonly #lists = new Map<ResourceName, List>();
  readonly #begunAt: number;
  readonly doubt: Doubt;
  /** Resolves when nothing of it runs any more; rejects with a defect, or what ends the run. */
  readonly ended: Promise<void>;
  /** Resolves when every resource was listed or skipped. */
  readonly settled: Promise<void>;
  #isComplete = false;

  constructor(parts: RetakeParts, signal: AbortSignal) {
    this.#parts = parts;
    this.doubt = parts.doubt;
    this.#begunAt = parts.clock.monotonic();
    const stop = AbortSignal.any([this.#stop.signal, signal]);
    const ended = parts.resources.map((resource) => this.#begin(resource, stop));
    this.ended = Promise.all(ended).then(() => {});
    this.settled = Promise.all([...this.#lists.values()].map((list) => list.settled)).then(() => {
      this.#isComplete = !stop.aborted;
    });
  }

  /** Before that, nothing of the namespace may be committed. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Resolves when this resource was listed or skipped. */
  async listed(resource: ResourceName): Promise<void> {
    await this.#lists.get(resource)?.settled;
  }

  /** Waits for the list of this resource, if it is under way; true for what was over when it was made. */
  async isOutdated(resource: ResourceName, { resourceVersion, isListed }: Sighting): Promise<boolean> {
    const list = this.#lists.get(resource);
    if (list === undefined) return false;
    await list.settled;
    const version = numberOf(resourceVersion);
    if (list.version === undefined || version === undefined || version >= list.version) return false;
    const { watchesMs, listsMs } = this.doubt;
    return this.#parts.clock.monotonic() < this.#begunAt + (isListed ? listsMs : watchesMs);
  }

  /** Nobody waits for it any more. */
  stop(): void {
    this.#stop.abort();
  }

  async #begin(resource: Resource, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const list: List = { settled: promise, version: undefined };
    this.#lists.set(resourceName(resource), list);
    const leave = await this.#gate.enter();
    const settle = () => {
      leave();
      resolve();
    };
    try {
      await this.#list(resource, list, { signal, settle });
    } catch (error) {
      const isGap = this.#parts.once && error instanceof KeeperError && error.kind !== 'defect';
      if (!isGap) throw error;
      this.#parts.skipped(resource, error);
    } finally {
      settle();
    }
  }

  /** What cannot be read now is not waited for; it is tried until it can be, as by any list. */
  async #list(
    resource: Resource,
    list: List,
    { signal, settle }: { readonly signal: AbortSignal; readonly settle: () => void },
  ): Promise<void> {
    const { cluster, namespace, labelSelector, once, take } = this.#parts;
    const selector = labelSelector === undefined ? {} : { labelSelector };
    const place = resource.namespaced ? { namespace } : {};
    let seen = new Set<string>();
    for await (const change of cluster.listWatch(resource, { signal, once, ...place, ...selector })) {
      if (signal.aborted) return;
      if (change.type === 'listing') seen = new Set();
      if (change.type === 'skipped') settle();
      if (change.type === 'applied' && isOther(resource, change.object, namespace)) continue;
      const taken = await take(change, seen);
      if (taken !== undefined) seen.add(taken);
      if (change.type !== 'synced') continue;
      list.version = numberOf(change.resourceVersion);
      return;
    }
  }
}

/** A Namespace that is not the one whose repository it is about. */
function isOther(resource: Resource, { metadata }: KubeObject, namespace: string): boolean {
  return !resource.namespaced && namespace !== CLUSTER_REPOSITORY && metadata.name !== namespace;
}

/** The repositories whose own list of a resource is newer than this one. */
export async function newerThan(
  spaces: Pick<Spaces, 'all'>,
  list: { readonly resource: Resource; readonly resourceVersion: string },
): Promise<ReadonlySet<string>> {
  const sighting = { resourceVersion: list.resourceVersion, isListed: true };
  const newer = new Set<string>();
  for (const { name, line } of spaces.all()) {
    if ((await line.retake?.isOutdated(resourceName(list.resource), sighting)) === true) newer.add(name);
  }
  return newer;
}

/** Versions of one resource are numbers that grow, in every Kubernetes so far; of what are none, nothing is said. */
function numberOf(resourceVersion: string | undefined): bigint | undefined {
  return resourceVersion !== undefined && /^\d{1,30}$/.test(resourceVersion) ? BigInt(resourceVersion) : undefined;
}
