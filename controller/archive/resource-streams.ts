import type { Change } from '../core/change.ts';
import { type Resource, resourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Catalogue, Cluster } from '../core/ports.ts';
import type { Scope } from '../core/scope.ts';
import { Gate } from '../core/streams.ts';
import type { Gap } from '../core/vitals.ts';
import { KeeperError } from '../errors.ts';
import { isDamage } from './damage.ts';

/** One list-watch per resource (and namespace, where rights are only in namespaces), following the catalogue as it changes. */

/** First lists side by side: enough to keep the server busy, few enough to keep memory and its fairness queues small. */
const LISTS_AT_ONCE = 4;

export interface StreamParts {
  readonly cluster: Cluster;
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly once: boolean;
  readonly report: (outcome: Outcome) => void;
  /** What a change does; `seen` is called by it for lists. */
  readonly take: (change: Change, list: ListInProgress | undefined) => Promise<void>;
  readonly fail: (error: unknown) => void;
}

/** The objects that the list under way has named, as `REPOSITORY/PATH`. */
export interface ListInProgress {
  readonly seen: Set<string>;
  objects: number;
}

interface Stream {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

export class ResourceStreams {
  readonly #parts: StreamParts;
  readonly #streams = new Map<string, Stream>();
  readonly #gate = new Gate(LISTS_AT_ONCE);
  readonly #waiting = new Set<string>();
  #arrived: (() => void) | undefined;
  /** What cannot be read now, by its place. */
  readonly #gaps = new Map<string, Gap>();

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  get gaps(): readonly Gap[] {
    return [...this.#gaps.values()];
  }

  /** Starts what is new and stops what is no longer served; answers the resources that went. */
  follow(catalogue: Catalogue): readonly Resource[] {
    const wanted = new Map(catalogue.resources.flatMap((resource) => this.#placesOf(resource)));
    const silent = new Set(catalogue.unavailable.map(({ group }) => group));
    const gone = new Map<string, Resource>();
    for (const [key, stream] of this.#streams) {
      if (wanted.has(key) || silent.has(stream.resource.group)) continue;
      stream.abort.abort();
      this.#streams.delete(key);
      this.#gaps.delete(JSON.stringify(placeOf(stream)));
      this.#arrive(key);
      gone.set(resourceName(stream.resource), stream.resource);
    }
    for (const [key, place] of wanted) if (!this.#streams.has(key)) this.#start(key, place.resource, place.namespace);
    for (const { resource } of wanted.values()) gone.delete(resourceName(resource));
    return [...gone.values()];
  }

  /** Resolves when every stream that runs now has listed once or was skipped. */
  async firstLists(): Promise<void> {
    while (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** Resolves when all streams have ended: by themselves in a single run, else after the signal. */
  async ended(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.ended));
  }

  #placesOf(resource: Resource): readonly (readonly [string, { resource: Resource; namespace: string | undefined }])[] {
    const { literalNamespaces } = this.#parts.scope;
    const base = `${resourceName(resource)}@${resource.version}`;
    if (literalNamespaces === undefined || !resource.namespaced) return [[base, { resource, namespace: undefined }]];
    return literalNamespaces.map((namespace) => [`${base}/${namespace}`, { resource, namespace }] as const);
  }

  #start(key: string, resource: Resource, namespace: string | undefined): void {
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#parts.signal]);
    this.#waiting.add(key);
    const ended = this.#run(key, { resource, namespace, signal }).catch((error) => {
      if (!signal.aborted) this.#parts.fail(error);
    });
    this.#streams.set(key, { resource, namespace, abort, ended });
  }

  async #run(
    key: string,
    stream: { readonly resource: Resource; readonly namespace: string | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    const leave = await this.#gate.enter();
    const settle = () => {
      leave();
      this.#arrive(key);
    };
    try {
      await this.#follow(stream, settle);
    } catch (error) {
      if (!this.#parts.once || !(error instanceof KeeperError) || error.kind === 'defect' || isDamage(error))
        throw error;
      this.#skip(stream, error.message, error.code);
    } finally {
      settle();
    }
  }

  async #follow(
    stream: { readonly resource: Resource; readonly namespace: string | undefined; readonly signal: AbortSignal },
    settle: () => void,
  ): Promise<void> {
    const { cluster, once, scope, take } = this.#parts;
    let list: ListInProgress | undefined;
    let skipped = false;
    const options = {
      signal: stream.signal,
      once,
      ...(stream.namespace === undefined ? {} : { namespace: stream.namespace }),
      ...(scope.selector === undefined ? {} : { labelSelector: scope.selector }),
    };
    for await (const change of cluster.listWatch(stream.resource, options)) {
      if (stream.signal.aborted) return;
      if (change.type === 'listing') list = { seen: new Set(), objects: 0 };
      await take(change, list);
      if (change.type === 'skipped') {
        if (!skipped) this.#skip(stream, change.reason, change.code);
        skipped = true;
        settle();
      }
      if (change.type !== 'synced') continue;
      this.#listed(stream, list?.objects ?? 0, skipped);
      [list, skipped] = [undefined, false];
      settle();
    }
  }

  #listed(stream: { resource: Resource; namespace: string | undefined }, objects: number, recovered: boolean): void {
    const place = placeOf(stream);
    if (recovered) {
      this.#gaps.delete(JSON.stringify(place));
      this.#parts.report({ type: 'recovered', ...place });
    }
    this.#parts.report({ type: 'listed', ...place, objects });
  }

  #skip(stream: { resource: Resource; namespace: string | undefined }, reason: string, code: string): void {
    const place = placeOf(stream);
    this.#gaps.set(JSON.stringify(place), { ...place, code });
    this.#parts.report({ type: 'skipped', ...place, reason, code });
  }

  #arrive(key: string): void {
    if (this.#waiting.delete(key) && this.#waiting.size === 0) this.#arrived?.();
  }
}

function placeOf(stream: { readonly resource: Resource; readonly namespace: string | undefined }) {
  const resource = resourceName(stream.resource);
  return stream.namespace === undefined ? { resource } : { resource, namespace: stream.namespace };
}
