import { statfs } from 'node:fs/promises';
import { type ResourceName, resourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import type { OnSign } from '../core/signs.ts';
import type { Vitals } from '../core/vitals.ts';
import type { KeeperError } from '../errors.ts';
import { countOutcome } from './count-outcome.ts';
import { Meter } from './meter.ts';
import { readProcess } from './process-metrics.ts';
import { type Counts, GAP_CODES, readCounts, readFlow } from './read-flow.ts';
import { RepositoryStates } from './repository-states.ts';
import { WatchSigns } from './watch-signs.ts';

/** Outcomes become metrics here and nowhere else; what is a state and no event is asked for at each scrape. */

export interface MetricSources {
  readonly tally: Counts;
  readonly vitals: Vitals;
  readonly clock: Clock;
  readonly dataDirectory: string;
  /** Of kubekeeper. */
  readonly version: string;
  /** Another replica may lead. */
  readonly isElected: boolean;
}

export class Metrics {
  readonly #meter = new Meter();
  readonly #sources: MetricSources;
  readonly #states: RepositoryStates;
  readonly #signs: WatchSigns;
  /** Per resource and namespace: a resource may be followed in several. */
  readonly #listed = new Map<string, Map<string, number>>();

  constructor(sources: MetricSources) {
    this.#sources = sources;
    this.#states = new RepositoryStates(sources.clock);
    this.#signs = new WatchSigns(sources.clock.wall);
    this.#meter.set('buildInfo', { version: sources.version, node_version: process.version }, 1);
    this.#meter.set('leader', {}, sources.isElected ? 0 : 1);
    for (const result of ['success', 'failure']) {
      this.#meter.count('pushes', { result }, 0);
      this.#meter.count('consolidations', { result }, 0);
    }
    for (const result of ['ready', 'failed']) this.#meter.count('snapshots', { result }, 0);
    for (const why of ['pruned', 'orphaned']) this.#meter.count('removedSnapshots', { why }, 0);
    for (const code of GAP_CODES) this.#meter.count('skips', { code }, 0);
  }

  get contentType(): string {
    return this.#meter.contentType;
  }

  observe(outcome: Outcome): void {
    countOutcome(this.#meter, outcome);
    this.#states.note(outcome);
    if (outcome.type !== 'listed') return;
    const places = this.#listed.get(outcome.resource) ?? new Map<string, number>();
    this.#listed.set(outcome.resource, places.set(outcome.namespace ?? '', outcome.objects));
  }

  retry(error: KeeperError): void {
    this.#meter.count('retries', { code: error.code });
  }

  readonly sign: OnSign = (resource, namespace, sign) => {
    if (sign.type === 'listing') this.#meter.count('lists', { cause: sign.cause });
    if (sign.type === 'ended') this.#forget(resourceName(resource), namespace ?? '');
    this.#signs.note(resource, namespace, sign);
  };

  #forget(resource: ResourceName, namespace: string): void {
    const places = this.#listed.get(resource);
    places?.delete(namespace);
    if (places?.size === 0) this.#listed.delete(resource);
  }

  /** How late the event loop was. */
  lag(ms: number): void {
    this.#meter.time('loopLag', ms / 1000);
  }

  /** What Prometheus scrapes. */
  async render(): Promise<string> {
    const disk = await readDisk(this.#sources.dataDirectory);
    this.#meter.replace('freeBytes', disk === undefined ? [] : [[{}, disk.free]]);
    this.#meter.replace('sizeBytes', disk === undefined ? [] : [[{}, disk.size]]);
    readCounts(this.#meter, this.#sources.tally);
    readFlow(this.#meter, this.#sources.vitals.flow);
    this.#meter.replace('listedObjects', [...this.#listed].map(sumOf));
    this.#meter.replace(
      'watchSign',
      [...this.#signs.oldest()].map(([resource, ms]) => [{ resource }, ms / 1000] as const),
    );
    this.#states.fill(this.#meter);
    readProcess(this.#meter);
    return await this.#meter.render();
  }
}

function sumOf([resource, places]: readonly [string, ReadonlyMap<string, number>]) {
  return [{ resource }, places.values().reduce((sum, objects) => sum + objects, 0)] as const;
}

/** Undefined while the directory does not exist. */
async function readDisk(directory: string): Promise<{ free: number; size: number } | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    return undefined;
  }
}
