import type { Change } from '../../controller/core/change.ts';
import { parseJson } from '../../controller/core/json.ts';
import { type KubeObject, type Resource, resourceName } from '../../controller/core/object.ts';
import type { Catalogue, Cluster } from '../../controller/core/ports.ts';
import { Queue } from '../../controller/core/streams.ts';

/** A Cluster that obeys a script, where a fault must be exact. The same stories run on the real API server. */
export class ScriptedCluster implements Cluster {
  resources: Resource[] = [];
  unavailable: Catalogue['unavailable'] = [];
  readonly objects = new Map<string, KubeObject>();
  readonly denied = new Set<string>();
  readonly #watchers = new Map<string, Set<Queue<Change>>>();
  readonly #catalogues = new Set<Queue<Catalogue>>();
  #version = 100;

  catalogue(): Catalogue {
    const served = new Map<string, string[]>();
    for (const resource of this.resources) {
      served.set(resourceName(resource), [...(served.get(resourceName(resource)) ?? []), resource.version]);
    }
    return { resources: this.resources, unavailable: this.unavailable, served };
  }

  /** Stores a copy as a server would, with the volatile fields of one, and tells the watches. */
  apply(resource: Resource, object: object, meta: object = {}): void {
    const copy = parseJson(JSON.stringify(object)) as KubeObject;
    const key = keyOf(resource, copy);
    const before = this.objects.get(key);
    const uid = before?.metadata['uid'] ?? `${(++this.#version).toString(16).padStart(8, '0')}-0000`;
    Object.assign(copy.metadata, { resourceVersion: String(++this.#version), uid }, meta);
    this.objects.set(key, copy);
    this.#tell({ type: 'applied', resource, object: copy });
  }

  delete(resource: Resource, namespace: string | undefined, name: string, options: { silently?: boolean } = {}): void {
    const key = `${resourceName(resource)}/${namespace ?? ''}/${name}`;
    const object = this.objects.get(key);
    if (object === undefined) throw new Error(`no ${key}`);
    this.objects.delete(key);
    if (options.silently !== true) this.#tell({ type: 'deleted', resource, object });
  }

  /** Every running watch of the resource lists again. */
  relist(resource: Resource): void {
    for (const queue of this.#watchers.get(resourceName(resource)) ?? []) this.#list(resource, queue);
  }

  changeCatalogue(): void {
    for (const queue of this.#catalogues) queue.push(this.catalogue());
  }

  async discover(): Promise<Catalogue> {
    return this.catalogue();
  }

  async *watchCatalogue({ signal }: { signal: AbortSignal }): AsyncGenerator<Catalogue> {
    const queue = new Queue<Catalogue>();
    this.#catalogues.add(queue);
    signal.addEventListener('abort', () => queue.end());
    if (!signal.aborted) yield* queue;
  }

  async *listWatch(
    resource: Resource,
    options: { signal: AbortSignal; once?: boolean; namespace?: string },
  ): AsyncGenerator<Change> {
    const queue = new Queue<Change>();
    const name = resourceName(resource);
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers.add(queue));
    options.signal.addEventListener('abort', () => queue.end());
    this.#list(resource, queue);
    if (options.once === true || options.signal.aborted) queue.end();
    const { namespace } = options;
    for await (const change of queue) if (isIn(namespace, change)) yield change;
  }

  async get(
    resource: Pick<Resource, 'group' | 'plural'>,
    place: { namespace?: string; name: string },
  ): Promise<KubeObject | undefined> {
    return this.objects.get(`${resourceName(resource)}/${place.namespace ?? ''}/${place.name}`);
  }

  #list(resource: Resource, queue: Queue<Change>): void {
    const name = resourceName(resource);
    if (this.denied.has(name)) {
      queue.push({ type: 'skipped', resource, namespace: undefined, reason: 'forbidden', code: 'RESOURCE_FORBIDDEN' });
      return;
    }
    queue.push({ type: 'listing', resource, namespace: undefined });
    for (const [key, object] of this.objects) {
      if (key.startsWith(`${name}/`)) {
        queue.push({ type: 'applied', resource, object: parseJson(JSON.stringify(object)) as KubeObject });
      }
    }
    queue.push({ type: 'synced', resource, namespace: undefined, resourceVersion: String(this.#version) });
  }

  #tell(change: Extract<Change, { type: 'applied' | 'deleted' }>): void {
    for (const queue of this.#watchers.get(resourceName(change.resource)) ?? []) {
      queue.push({ ...change, object: parseJson(JSON.stringify(change.object)) as KubeObject });
    }
  }
}

function keyOf(resource: Resource, object: KubeObject): string {
  return `${resourceName(resource)}/${object.metadata['namespace'] ?? ''}/${object.metadata.name}`;
}

function isIn(namespace: string | undefined, change: Change): boolean {
  if (namespace === undefined || !('object' in change)) return true;
  return change.object.metadata['namespace'] === namespace;
}

/** A resource as discovery describes it. */
export function resource(
  plural: string,
  kind: string,
  options: { group?: string; version?: string; cluster?: true } = {},
): Resource {
  return {
    group: options.group ?? '',
    version: options.version ?? 'v1',
    plural,
    kind,
    namespaced: options.cluster !== true,
    verbs: ['list', 'watch', 'get'],
  };
}
