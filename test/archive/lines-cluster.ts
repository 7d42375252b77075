import type { Change } from '../../controller/core/change.ts';
import { type KubeObject, type Resource, resourceName } from '../../controller/core/object.ts';
import { resource, ScriptedCluster } from '../flows/scripted-cluster.ts';

export const namespaces = resource('namespaces', 'Namespace', { cluster: true });
export const configMaps = resource('configmaps', 'ConfigMap');
export const services = resource('services', 'Service');

/** Lets changes pass one by one. */
export class Lag {
  #places = 0;
  #isOver = false;
  #arrived = () => {};

  /** So many more. */
  pass(count: number): void {
    this.#places += count;
    this.#arrived();
  }

  end(): void {
    this.#isOver = true;
    this.#arrived();
  }

  async enter(): Promise<void> {
    while (!this.#isOver && this.#places === 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    this.#places--;
  }
}

/** A cluster whose namespaces are deleted and made again, whose watches lag, and which does not answer every question. */
export class RecreatedCluster extends ScriptedCluster {
  override resources = [namespaces, configMaps, services];
  /** What a question for one object is answered with instead, when it answers something. */
  question: () => Promise<KubeObject | undefined> | undefined = () => undefined;
  /** What a list of one namespace waits for. */
  beforeList: (resource: string, namespace: string) => Promise<void> | undefined = () => undefined;
  readonly questions: string[] = [];
  /** `configmaps`, or `configmaps of shop` for a list of one namespace. */
  readonly lists: string[] = [];
  /** Hears of each change once the archive has taken it. */
  taken: (change: Change) => void = () => {};
  readonly #lags = new Map<string, Lag>();

  put(namespace: string, name: string, value: string, of = configMaps): void {
    const metadata = { name, namespace };
    this.apply(of, { apiVersion: 'v1', kind: of.kind, metadata, data: { value } });
  }

  make(namespace: string, labels: object = {}): string {
    this.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
    return this.uidOf(namespace);
  }

  uidOf(namespace: string): string {
    return String(this.objects.get(`namespaces//${namespace}`)?.metadata['uid']);
  }

  /** Everything in it first, then the namespace itself, as the namespace controller does. */
  destroy(namespace: string): void {
    for (const kind of [configMaps, services]) {
      for (const object of [...this.objects.values()]) {
        const { name, namespace: home } = object.metadata;
        if (home === namespace && object.kind === kind.kind) this.delete(kind, namespace, name);
      }
    }
    this.delete(namespaces, undefined, namespace);
  }

  /** What runs now of this resource tells nothing more but what is let pass; what begins later does not lag. */
  lag(of: Resource): Lag {
    const lag = new Lag();
    this.#lags.set(resourceName(of), lag);
    return lag;
  }

  override async *listWatch(
    of: Resource,
    options: { signal: AbortSignal; once?: boolean; namespace?: string },
  ): AsyncGenerator<Change> {
    const name = resourceName(of);
    this.lists.push(options.namespace === undefined ? name : `${name} of ${options.namespace}`);
    const { signal } = options;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    if (options.namespace !== undefined) await Promise.race([this.beforeList(name, options.namespace), stopped]);
    const before = this.#lags.get(name);
    options.signal.addEventListener('abort', () => this.#lags.get(name)?.end());
    for await (const change of super.listWatch(of, options)) {
      const lag = this.#lags.get(name);
      if (lag !== before) await lag?.enter();
      yield change;
      this.taken(change);
    }
  }

  override async get(
    of: Pick<Resource, 'group' | 'plural'>,
    place: { namespace?: string; name: string },
  ): Promise<KubeObject | undefined> {
    this.questions.push(`${resourceName(of)}/${place.name}`);
    return await (this.question() ?? super.get(of, place));
  }
}
