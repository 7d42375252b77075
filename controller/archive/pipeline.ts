import type { Change } from '../core/change.ts';
import { CLUSTER_REPOSITORY, type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Catalogue, Clock, Cluster, Sealer } from '../core/ports.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import type { Scope } from '../core/scope.ts';
import { Queue } from '../core/streams.ts';
import type { WindowLimits } from '../core/window.ts';
import { type Closing, closeWindow } from './close-window.ts';
import { migrateRules } from './migrate.ts';
import { findMissing } from './missing.ts';
import { type ListInProgress, ResourceStreams } from './resource-streams.ts';
import { ScaleTargets } from './scale-targets.ts';
import { openSpaces, pinnedVersions, type Spaces } from './spaces.ts';
import { boundStage } from './spill.ts';
import { sweepUnseen } from './sweep.ts';
import { type Intake, takeApplied, takeDeleted } from './take.ts';
import { Tally } from './tally.ts';
import { causeOfDeletion, definitionPath, describeVanished, isDefinition, sweepVanished } from './vanished.ts';
import { WindowCloser } from './window-closer.ts';

/**
 * The whole path: discover -> list and watch -> sanitise -> stage -> window -> commit.
 *
 * Nothing is committed before every resource was listed once or skipped. After that a window per repository collects changes.
 * What was read lies in Git or nowhere: a restart is a relist, and a tree that equals HEAD's makes no commit.
 */

export interface ArchiveParts {
  readonly cluster: Cluster;
  readonly rules: RuleSet;
  /** Called once the repositories are found to be ours: it may make a key. */
  readonly openSealer: () => Promise<Sealer>;
  readonly clock: Clock;
  readonly tally?: Tally;
}

export interface ArchiveOptions {
  readonly scope: Scope;
  /** As `readClusterId` gives it. */
  readonly clusterId: string;
  readonly dataDirectory: string;
  readonly window: WindowLimits;
  readonly includeOwned: boolean;
  /** List, commit, end. */
  readonly once: boolean;
  readonly allowsDeletions: (repository: string) => boolean;
  readonly signal: AbortSignal;
}

/** Archives until the signal (or, with `once`, until all is committed). Throws KeeperError when it cannot begin. */
export async function* archive(parts: ArchiveParts, options: ArchiveOptions): AsyncGenerator<Outcome> {
  const outcomes = new Queue<Outcome>();
  await using spaces = await openSpaces(options.dataDirectory, {
    clusterId: options.clusterId,
    includes: (name) => options.scope.includesRepository(name),
    report: (outcome) => outcomes.push(outcome),
  });
  const sealer = await parts.openSealer();
  const run = new ArchiveRun({ ...parts, sealer }, options, spaces, outcomes);
  const ended = run.run().then(
    () => outcomes.end(),
    (error) => outcomes.end({ error }),
  );
  try {
    yield* outcomes;
  } finally {
    run.stop();
    await ended;
  }
}

/** Cluster-scoped objects need their repository in scope; a Namespace lies in its own. */
function hasRepository(scope: Scope, resource: Resource): boolean {
  return resource.namespaced || resourceName(resource) === 'namespaces' || scope.includesRepository(CLUSTER_REPOSITORY);
}

type RunParts = Omit<ArchiveParts, 'openSealer'> & { readonly sealer: Sealer };

/** One run of the flow: holds what its stages share. */
class ArchiveRun {
  readonly #parts: RunParts;
  readonly #options: ArchiveOptions;
  readonly #spaces: Spaces;
  readonly #outcomes: Queue<Outcome>;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #closer: WindowCloser;
  readonly #streams: ResourceStreams;
  readonly #intake: Intake;
  readonly #closing: Closing;
  readonly #tally: Tally;
  /** Grows with each new resource, so that a version once chosen stays as long as it is served. */
  readonly #pinned: Map<ResourceName, string>;
  /** Custom resources that this run has seen defined. */
  readonly #definitions = new Set<string>();
  readonly #scaled = new ScaleTargets();
  #gaps: ReadonlySet<string> = new Set();
  #toldCatalogue = '';
  #kinds: ReadonlySet<string> = new Set();
  #catalogue: Catalogue = { resources: [], unavailable: [], served: new Map() };
  #failure: { readonly error: unknown } | undefined;
  #isSynced = false;

  constructor(parts: RunParts, options: ArchiveOptions, spaces: Spaces, outcomes: Queue<Outcome>) {
    this.#parts = parts;
    this.#options = options;
    this.#spaces = spaces;
    this.#outcomes = outcomes;
    this.#pinned = new Map(pinnedVersions(spaces));
    this.#signal = AbortSignal.any([this.#stop.signal, options.signal]);
    this.#tally = parts.tally ?? new Tally();
    const fail = (error: unknown) => this.#fail(error);
    this.#closing = this.#closingOf();
    this.#intake = this.#intakeOf();
    this.#closer = new WindowCloser({
      spaces,
      limits: options.window,
      clock: parts.clock,
      close: async (space) => {
        for (const outcome of await closeWindow(this.#closing, space)) outcomes.push(outcome);
      },
      fail,
    });
    this.#streams = new ResourceStreams({
      cluster: parts.cluster,
      scope: options.scope,
      signal: this.#signal,
      once: options.once,
      report: (outcome) => outcomes.push(outcome),
      take: (change, list) => this.#take(change, list),
      fail,
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  async run(): Promise<void> {
    const pinned = this.#pinned;
    await this.#scaled.recall(this.#spaces.all());
    this.#pushAll(await migrateRules(this.#spaces, this.#closing, this.#parts.rules));
    const catalogue = await this.#parts.cluster.discover({ signal: this.#signal, pinned });
    this.#pushAll(await findMissing(this.#parts.cluster, this.#options.scope, catalogue));
    await this.#follow(catalogue);
    const listed = this.#streams.firstLists().then(() => this.#firstListsDone());
    if (this.#options.once) await Promise.all([listed, this.#streams.ended()]);
    else await this.#followCatalogues(pinned);
    await listed;
    await this.#streams.ended();
    if (this.#failure !== undefined) throw this.#failure.error;
    // A list cut short must not pass for the whole: what it staged is forgotten, the next start lists again.
    if (this.#isSynced) await this.#closer.drain();
  }

  async #followCatalogues(pinned: ReadonlyMap<ResourceName, string>): Promise<void> {
    for await (const catalogue of this.#parts.cluster.watchCatalogue({ signal: this.#signal, pinned })) {
      await this.#follow(catalogue);
    }
  }

  /** Starts and stops streams; what vanished is looked into once its definition's fate is known. */
  async #follow(catalogue: Catalogue): Promise<void> {
    const { covered, never } = this.#cover(catalogue);
    this.#catalogue = catalogue;
    for (const resource of covered) {
      const name = resourceName(resource);
      if (!this.#pinned.has(name)) this.#pinned.set(name, resource.version);
    }
    this.#kinds = new Set(covered.map((resource) => `${resource.group}/${resource.kind}`));
    this.#streams.follow({ ...catalogue, resources: covered });
    this.#reportCatalogue({
      type: 'catalogue',
      resources: covered.length,
      unavailable: catalogue.unavailable.length,
      never,
    });
    this.#reportGaps(await this.#sweepVanished());
    this.#closer.touched();
  }

  #cover(catalogue: Catalogue) {
    const { scope } = this.#options;
    const inScope = catalogue.resources.filter((one) => scope.includesResource(one) && hasRepository(scope, one));
    const never: { resource: ResourceName; reason: string }[] = [];
    const covered = inScope.filter((resource) => {
      const rule = this.#parts.rules.neverArchives(resourceName(resource));
      if (rule !== undefined) never.push({ resource: resourceName(resource), reason: rule.reason });
      return rule === undefined;
    });
    return { covered, never };
  }

  /** A watch begins with the catalogue that we have; the same again is no news. */
  #reportCatalogue(outcome: Outcome): void {
    const text = JSON.stringify(outcome);
    if (text !== this.#toldCatalogue) this.#outcomes.push(outcome);
    this.#toldCatalogue = text;
  }

  /** Each gap once, until it closes. */
  #reportGaps(gaps: readonly Outcome[]): void {
    const told = this.#gaps;
    this.#gaps = new Set(gaps.map((gap) => JSON.stringify(gap)));
    this.#pushAll(gaps.filter((gap) => !told.has(JSON.stringify(gap))));
  }

  #pushAll(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) this.#outcomes.push(outcome);
  }

  #sweepVanished(): Promise<readonly Outcome[]> {
    const cluster = this.#spaces.get(CLUSTER_REPOSITORY);
    return sweepVanished(
      {
        cluster: this.#parts.cluster,
        spaces: this.#spaces,
        catalogue: this.#catalogue,
        isCovered: (resource) => this.#options.scope.includesResource(describeVanished(resource)),
        // HEAD, not the stage: the definition's own deletion may be staged already.
        isKnownDefinition: (resource) =>
          this.#definitions.has(resource) || cluster?.repository.fileId(definitionPath(resource)) !== undefined,
      },
      this.#parts.clock.monotonic(),
    );
  }

  async #take(change: Change, list: ListInProgress | undefined): Promise<void> {
    switch (change.type) {
      case 'applied': {
        this.#scaled.note(change.resource, change.object);
        if (isDefinition(change.resource)) this.#definitions.add(change.object.metadata.name);
        const place = await takeApplied(this.#intake, change.resource, change.object);
        if (list !== undefined && place !== undefined) {
          list.seen.add(place);
          list.objects++;
        }
        await boundStage(this.#spaces);
        break;
      }
      case 'deleted':
        this.#scaled.forget(change.resource, change.object);
        takeDeleted(this.#intake, change.resource, change.object);
        break;
      case 'synced':
        if (list !== undefined) sweepUnseen(this.#spaces, { ...change, ...list }, this.#parts.clock.monotonic());
        break;
      case 'listing':
      case 'skipped':
        return;
      default:
        change satisfies never;
    }
    this.#closer.touched();
  }

  #firstListsDone(): void {
    if (this.#signal.aborted) return;
    const tallies = this.#tally.all();
    const objects = tallies.reduce((sum, tally) => sum + tally.objects, 0);
    this.#isSynced = true;
    this.#outcomes.push({ type: 'synced', resources: tallies.length, objects, skipped: this.#streams.skipped });
    this.#closer.start();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort();
  }

  #closingOf(): Closing {
    return {
      clusterId: this.#options.clusterId,
      rulesVersion: this.#parts.rules.version,
      secretsPolicy: this.#parts.sealer.policy,
      clock: this.#parts.clock,
      allowsDeletions: this.#options.allowsDeletions,
      causeOfDeletion: (resource) => causeOfDeletion(this.#parts.cluster, this.#catalogue, resource),
    };
  }

  #intakeOf(): Intake {
    return {
      spaces: this.#spaces,
      scope: this.#options.scope,
      rules: this.#parts.rules,
      sealer: this.#parts.sealer,
      clock: this.#parts.clock,
      tally: this.#tally,
      includeOwned: this.#options.includeOwned,
      isScaleTarget: (target) => this.#scaled.has(target),
      isArchived: (group, kind) => this.#kinds.has(`${group}/${kind}`),
    };
  }
}
