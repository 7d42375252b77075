import { type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Catalogue } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import { Bell } from './bell.ts';
import { buildCatalogue, fingerprintCatalogue } from './catalogue.ts';
import type { Connection } from './connect.ts';
import { DEFINITIONS, DefinitionTracker } from './definitions.ts';
import { openDiscovery } from './discovery.ts';
import { type ListWatchOptions, listWatch } from './list-watch.ts';
import { backoffMs, pause, RETRY_UNREACHABLE } from './retry.ts';

export interface WatchCatalogueOptions extends Pick<ListWatchOptions, 'random' | 'now' | 'limits' | 'onRetry'> {
  readonly signal: AbortSignal;
  readonly pinned?: ReadonlyMap<ResourceName, string>;
  /** Between two looks when nothing happens; 30 s, and 5 s where definitions may not be watched. */
  readonly refreshMs?: number;
}

const REFRESH_MS = 30_000;
const BLIND_REFRESH_MS = 5_000;

/** Definitions come in crowds, and discovery follows them a moment later. */
const DEBOUNCE_MS = 300;

/** Looks, with growing waits, for what a definition promises before it counts as late; together about 30 s. */
const SETTLE_MS = [200, 300, 500, 500, 1000, 1000, 1000, 2000, 2000, 2000, 3000, 3000, 5000, 5000, 5000];

/**
 * The catalogue now, and a new one whenever something differs: at once when a CustomResourceDefinition or an APIService changes,
 * else at the next look. A resource whose definition is established is never taken for gone while discovery lacks it.
 * Never gives up; ends, without an error, when the signal is aborted.
 */
export async function* watchCatalogue(
  connection: Connection,
  options: WatchCatalogueOptions,
): AsyncGenerator<Catalogue> {
  const ending = new AbortController();
  const watcher = new CatalogueWatcher(connection, options, AbortSignal.any([options.signal, ending.signal]));
  const followed = watcher.followDefinitions();
  try {
    yield* watcher.catalogues();
  } finally {
    ending.abort();
    await followed;
  }
}

class CatalogueWatcher {
  readonly #connection: Connection;
  readonly #options: WatchCatalogueOptions;
  readonly #signal: AbortSignal;
  readonly #bell = new Bell();
  readonly #trackers = DEFINITIONS.map(() => new DefinitionTracker());
  #failure: { readonly error: unknown } | undefined;
  #settling = 0;

  constructor(connection: Connection, options: WatchCatalogueOptions, signal: AbortSignal) {
    this.#connection = connection;
    this.#options = options;
    this.#signal = signal;
  }

  async *catalogues(): AsyncGenerator<Catalogue> {
    const discovery = openDiscovery(this.#connection);
    let last: Catalogue | undefined;
    while (!this.#signal.aborted) {
      const groups = await this.#untilAnswered(() => discovery.read(this.#signal));
      if (groups === undefined) return;
      const found = buildCatalogue(groups, this.#options.pinned);
      const catalogue = this.#guard(found, last);
      if (last === undefined || fingerprintCatalogue(last) !== fingerprintCatalogue(catalogue)) {
        last = catalogue;
        yield catalogue;
      }
      await this.#untilWorthALook(found);
      if (this.#failure !== undefined) throw this.#failure.error;
    }
  }

  /** Rings the bell for every change of a definition that matters. Only a defect ends it before the signal does. */
  async followDefinitions(): Promise<void> {
    const { random, now, limits, onRetry } = this.#options;
    const follow = async (index: number) => {
      const [resource, tracker] = [DEFINITIONS[index], this.#trackers[index]];
      if (resource === undefined || tracker === undefined) return;
      const options = { signal: this.#signal, random, now, limits, onRetry };
      for await (const change of listWatch(this.#connection, resource, options)) {
        if (!tracker.take(change)) continue;
        this.#settling = 0;
        this.#bell.ring();
      }
    };
    try {
      await Promise.all(DEFINITIONS.map((_, index) => follow(index)));
    } catch (error) {
      this.#failure = { error };
      this.#bell.ring();
    }
  }

  /** What was served, should be served, and is not shown now is late, not gone: it stays as it was. */
  #guard(found: Catalogue, last: Catalogue | undefined): Catalogue {
    const late = new Set(
      this.#trackers
        .flatMap((tracker) => tracker.missingFrom(found))
        .filter(({ resource, version }) => last?.served.get(resource)?.includes(version) === true)
        .map(({ resource }) => resource),
    );
    if (last === undefined || late.size === 0) return found;
    const isLate = (resource: Resource) => late.has(resourceName(resource));
    const resources = found.resources.filter((resource) => !isLate(resource));
    const served = [...last.served].filter(([name]) => late.has(name));
    return {
      ...found,
      resources: [...resources, ...last.resources.filter(isLate)],
      served: new Map([...found.served, ...served]),
    };
  }

  async #untilWorthALook(found: Catalogue): Promise<void> {
    const isUnsettled = this.#trackers.some(
      (tracker) => tracker.missingFrom(found).length > 0 || tracker.stillShows(found),
    );
    const settle = isUnsettled ? SETTLE_MS[this.#settling++] : undefined;
    const isBlind = this.#trackers.some((tracker) => tracker.isBlind);
    const refresh = this.#options.refreshMs ?? (isBlind ? BLIND_REFRESH_MS : REFRESH_MS);
    const isRung = await this.#bell.wait(settle ?? refresh, this.#signal);
    if (!isRung || this.#signal.aborted) return;
    await this.#pause(DEBOUNCE_MS);
    this.#bell.mute();
  }

  /** Tries for ever; undefined once the signal is aborted. */
  async #untilAnswered<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; !this.#signal.aborted; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (this.#signal.aborted) return undefined;
        if (!(error instanceof KeeperError)) throw error;
        const ms = backoffMs(attempt, this.#options.random ?? Math.random, RETRY_UNREACHABLE, error.retryAfterMs);
        this.#options.onRetry?.(error, ms);
        await this.#pause(ms);
      }
    }
    return undefined;
  }

  /** Being aborted ends it like the time. */
  async #pause(ms: number): Promise<void> {
    await pause(ms, this.#signal).catch((error) => {
      if (!this.#signal.aborted) throw error;
    });
  }
}
