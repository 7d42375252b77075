import type { Change } from '../core/change.ts';
import type { VolumeData } from '../core/data/volume-data.ts';
import type { ResourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Catalogue, Sealer } from '../core/ports.ts';
import type { Queue } from '../core/streams.ts';
import { type Closing, closeWindow } from './close-window.ts';
import { Coverage } from './coverage.ts';
import { watchHeld } from './held-watch.ts';
import type { Lines } from './lines.ts';
import { EndedLines } from './lines-ended.ts';
import { type LineAccess, openLines, partBy } from './lines-open.ts';
import { migrateRules } from './migrate.ts';
import { offeredBy } from './offered.ts';
import type { ArchiveOptions, ArchiveParts } from './parts.ts';
import { openPublishing, type Publishing } from './publishing.ts';
import { watchRequests } from './requests.ts';
import { type ListInProgress, ResourceStreams } from './resource-streams.ts';
import { ScaleTargets } from './scale-targets.ts';
import { pinnedVersions, type Spaces } from './spaces.ts';
import { StopPatience } from './stop-patience.ts';
import { Storage } from './storage.ts';
import { openTaking, type Taking, takeChange } from './take-change.ts';
import { Tally } from './tally.ts';
import { openVolumes, wantSnapshots } from './volumes.ts';
import { WindowCloser } from './window-closer.ts';

/**
 * The whole path: discover -> list and watch -> sanitise -> stage -> window -> commit -> publish.
 *
 * Nothing is committed before every resource was listed once or skipped. After that a window per repository collects changes.
 * What was read lies in Git or nowhere: a restart is a relist, and a tree that equals HEAD's makes no commit.
 */

/** Once it is to stop, a commit's message waits no longer than that for what only the cluster can explain. */
const EXPLAIN_MS = 3000;

type RunParts = Omit<ArchiveParts, 'openSealer'> & LineAccess & { readonly sealer: Sealer };

/** One run of the flow: holds what its stages share. */
export class ArchiveRun {
  readonly #parts: RunParts;
  readonly #options: ArchiveOptions;
  readonly #spaces: Spaces;
  readonly #outcomes: Queue<Outcome>;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #patience: StopPatience;
  readonly #storage: Storage;
  readonly #closer: WindowCloser;
  readonly #streams: ResourceStreams;
  readonly #taking: Taking;
  readonly #closing: Closing;
  readonly #tally: Tally;
  readonly #coverage: Coverage;
  readonly #scaled = new ScaleTargets();
  readonly #publishing: Publishing | undefined;
  readonly #ended: EndedLines;
  readonly #lines: Lines;
  readonly #volumes: VolumeData | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isSynced = false;

  constructor(parts: RunParts, options: ArchiveOptions, spaces: Spaces, outcomes: Queue<Outcome>) {
    this.#parts = parts;
    this.#options = options;
    this.#spaces = spaces;
    this.#outcomes = outcomes;
    this.#coverage = new Coverage({ ...parts, ...options, spaces }, pinnedVersions(spaces));
    this.#signal = AbortSignal.any([this.#stop.signal, options.signal]);
    this.#patience = new StopPatience(this.#signal, EXPLAIN_MS);
    this.#tally = parts.tally ?? new Tally();
    const fail = (error: unknown) => this.#fail(error);
    const report = (outcome: Outcome) => this.#report(outcome);
    this.#storage = new Storage({ report, signal: this.#signal, isPatient: !options.once });
    this.#volumes = openVolumes(parts.openVolumeData, spaces, {
      ...{ guard: options.guard, clock: parts.clock, signal: this.#signal, report, fail },
      touched: () => this.#closer.touched(),
      noted: (repository) => this.#publishing?.mark(repository),
    });
    this.#closing = this.#closingOf();
    this.#taking = openTaking(parts, options, {
      ...{ spaces, storage: this.#storage, tally: this.#tally },
      ...{ scaled: this.#scaled, coverage: this.#coverage },
    });
    this.#closer = new WindowCloser({
      ...{ spaces, limits: options.window, clock: parts.clock, storage: this.#storage, fail },
      close: (space) => closeWindow(this.#closing, space),
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
    this.#ended = new EndedLines({ ...options, names: parts.names, guard: options.guard, report });
    const part = partBy(parts, options, { spaces, report });
    this.#publishing = openPublishing(parts, options, { spaces, ended: this.#ended, part, report, fail });
    this.#lines = openLines(parts, options, {
      ...{ spaces, storage: this.#storage, closing: this.#closing, intake: this.#taking.intake },
      ...{ publishing: this.#publishing, ended: this.#ended, signal: this.#signal, fail },
      resources: () => this.#coverage.covered,
      within: (ask) => this.#patience.within(ask),
      // Not for the remote of the line that begins.
      report: (outcome) => outcomes.push(outcome),
      touched: () => this.#closer.touched(),
    });
  }

  stop(): void {
    this.#stop.abort();
    this.#publishing?.cut();
  }

  /** Ends with what made it end: that its own questions to the cluster were called off then is no reason. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#throwFailure();
      throw error;
    }
    this.#throwFailure();
  }

  async #run(): Promise<void> {
    const { pinned } = this.#coverage;
    using _held = watchHeld({
      spaces: this.#spaces,
      ledger: this.#parts.ledger,
      clock: this.#parts.clock,
      touched: () => this.#closer.touched(),
    });
    using _offered = this.#parts.vitals?.offer(
      offeredBy(this.#spaces, this.#coverage, this.#streams, this.#publishing),
    );
    await using ended = this.#ended;
    await using publishing = this.#publishing;
    await using lines = this.#lines;
    await using volumes = this.#volumes;
    await using _requests = watchRequests({
      dataDirectory: this.#options.dataDirectory,
      spaces: this.#spaces,
      clock: this.#parts.clock,
      signal: this.#signal,
      isSynced: () => this.#isSynced,
      hasVolumes: volumes !== undefined,
      reread: (space, signal) => lines.reread(space, signal),
      isGap: (resource) => this.#streams.gaps.some((gap) => gap.resource === resource),
      close: (space) => this.#closer.closeNow(space),
      tagged: (repository) => publishing?.mark(repository),
      report: (outcome) => this.#outcomes.push(outcome),
      fail: (error) => this.#fail(error),
    });
    publishing?.start();
    if (publishing !== undefined) {
      for (const name of await ended.recall(this.#options.scope.includesRepository)) publishing.finish(name);
    }
    await this.#scaled.recall(this.#spaces.all());
    this.#pushAll(await migrateRules(this.#spaces, this.#closing, this.#parts.rules));
    const catalogue = await this.#parts.cluster.discover({ signal: this.#signal, pinned });
    this.#pushAll(await this.#coverage.findMissing(catalogue));
    await this.#follow(catalogue);
    const listed = this.#streams.firstLists().then(() => this.#firstListsDone());
    if (this.#options.once) await Promise.all([listed, this.#streams.ended()]);
    else await this.#followCatalogues(pinned);
    await listed;
    await this.#streams.ended();
    if (this.#failure !== undefined) return;
    // A list cut short must not pass for the whole: what it staged is forgotten, the next start lists again.
    if (this.#isSynced) {
      lines.hurry();
      do await this.#closer.drain();
      while (await lines.settle());
      if (this.#options.once) await volumes?.settle(this.#signal);
    }
    await publishing?.drain();
  }

  async #followCatalogues(pinned: ReadonlyMap<ResourceName, string>): Promise<void> {
    for await (const catalogue of this.#parts.cluster.watchCatalogue({ signal: this.#signal, pinned })) {
      await this.#follow(catalogue);
    }
  }

  /** Starts and stops streams; what vanished is looked into once its definition's fate is known. */
  async #follow(catalogue: Catalogue): Promise<void> {
    this.#pushAll(this.#coverage.take(catalogue));
    this.#streams.follow({ ...catalogue, resources: this.#coverage.covered });
    this.#pushAll(await this.#coverage.sweepVanished(this.#parts.clock.monotonic()));
    this.#closer.touched();
  }

  #pushAll(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) this.#report(outcome);
  }

  #report(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    if (outcome.type === 'committed') this.#publishing?.mark(outcome.repository);
  }

  async #take(change: Change, list: ListInProgress | undefined): Promise<void> {
    if (change.type === 'listing' || change.type === 'skipped') return;
    await takeChange(this.#taking, change, list);
    this.#closer.touched();
  }

  #firstListsDone(): void {
    if (this.#signal.aborted) return;
    const tallies = this.#tally.all();
    const objects = tallies.reduce((sum, tally) => sum + tally.objects, 0);
    this.#isSynced = true;
    this.#outcomes.push({ type: 'synced', resources: tallies.length, objects, skipped: this.#streams.gaps.length });
    this.#volumes?.start(this.#spaces.all().map(({ name }) => name));
    if (this.#options.snapshots === 'forced') {
      for (const space of this.#spaces.all()) wantSnapshots(space, 'forced', this.#parts.clock.monotonic());
    }
    this.#closer.start();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
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
      ledger: this.#parts.ledger,
      volumes: this.#volumes,
      report: (outcome) => this.#report(outcome),
      admits: (space) => this.#lines.admits(space),
      causeOfDeletion: (resource) => this.#patience.within(() => this.#coverage.causeOfDeletion(resource)),
    };
  }
}
