import type { Change } from '../core/change.ts';
import type { VolumeData } from '../core/data/volume-data.ts';
import type { ResourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Catalogue, Clock, Cluster, Sealer } from '../core/ports.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import type { Scope } from '../core/scope.ts';
import { Queue } from '../core/streams.ts';
import type { Offered, Vitals } from '../core/vitals.ts';
import type { WindowLimits } from '../core/window.ts';
import { type Closing, closeWindow } from './close-window.ts';
import { Coverage } from './coverage.ts';
import { type Damage, isDamage } from './damage.ts';
import { watchHeld } from './held-watch.ts';
import type { Lines } from './lines.ts';
import { EndedLines } from './lines-ended.ts';
import { type LineAccess, openLineAccess, openLines, partBy } from './lines-open.ts';
import { newerThan } from './lines-retake.ts';
import { migrateRules } from './migrate.ts';
import { recallSpaces } from './publish-recall.ts';
import { openPublishing, type Publishing, type RemoteAccess } from './publishing.ts';
import { Quarantine } from './quarantine.ts';
import { watchRequests } from './requests.ts';
import { type ListInProgress, ResourceStreams } from './resource-streams.ts';
import { ScaleTargets } from './scale-targets.ts';
import { type Guard, openSpaces, pinnedVersions, type Spaces } from './spaces.ts';
import { boundStage } from './spill.ts';
import { StopPatience } from './stop-patience.ts';
import { Storage } from './storage.ts';
import { sweepUnseen } from './sweep.ts';
import type { HeldLedger } from './sweep-guard.ts';
import { type Intake, takeApplied, takeDeleted } from './take.ts';
import { Tally } from './tally.ts';
import { isDefinition } from './vanished.ts';
import { type OpenVolumeData, openVolumes, wantSnapshots } from './volumes.ts';
import { WindowCloser } from './window-closer.ts';

/**
 * The whole path: discover -> list and watch -> sanitise -> stage -> window -> commit -> publish.
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
  readonly vitals?: Vitals;
  readonly ledger: HeldLedger;
  /** Saves the volumes beside each commit; nobody does when left out. */
  readonly openVolumeData?: OpenVolumeData | undefined;
  /** Where what is committed is pushed; nowhere when left out. */
  readonly remote?: RemoteAccess | undefined;
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
  /** Of all volumes, after the first lists, whatever the interval says. */
  readonly snapshots?: 'forced' | undefined;
  /** Asked before every commit, push and removal; the run ends with what it throws. */
  readonly guard?: Guard;
  readonly signal: AbortSignal;
}

/**
 * Archives until the signal (or, with `once`, until all is committed). Throws KeeperError when it cannot begin. When a repository
 * turns out to be damaged, the run ends, that one is replaced, and the next run takes everything again: what was staged for it was
 * compared with what is no more, and for all others a run is only a relist.
 */
export async function* archive(parts: ArchiveParts, options: ArchiveOptions): AsyncGenerator<Outcome> {
  const quarantine = new Quarantine({ ...options, clock: parts.clock });
  const scope = {
    ...options.scope,
    includesRepository: (name: string) => options.scope.includesRepository(name) && quarantine.includes(name),
  };
  for (;;) {
    const damage = yield* archiveUntilDamage(parts, { ...options, scope }, quarantine);
    if (damage === undefined) return;
    parts.tally?.clear();
    const { choice } = await openLineAccess(parts, options, () => {});
    yield* quarantine.replaceMet(damage, choice.adopt);
  }
}

/** One run; answers the damage that ended it. */
async function* archiveUntilDamage(
  parts: ArchiveParts,
  options: ArchiveOptions,
  quarantine: Quarantine,
): AsyncGenerator<Outcome, Damage | undefined> {
  const outcomes = new Queue<Outcome>();
  const report = (outcome: Outcome) => outcomes.push(outcome);
  const access = await openLineAccess(parts, options, report);
  const { choice, remote } = access;
  const { adopt } = choice;
  await using spaces = await openSpaces(options.dataDirectory, {
    clusterId: options.clusterId,
    includes: (name) => options.scope.includesRepository(name),
    report,
    guard: options.guard,
    adopt,
    opened: choice.begin,
    replace: (name, damage) => quarantine.replace(name, damage, { adopt, report }),
    damaged: (error) => outcomes.end({ error }),
    begin: parts.vitals?.works.begin,
  });
  if (remote !== undefined) await recallSpaces(choice, spaces, { ...options, cluster: parts.cluster });
  const sealer = await parts.openSealer();
  const run = new ArchiveRun({ ...parts, ...access, sealer }, options, spaces, outcomes);
  const ended = run.run().then(
    () => outcomes.end(),
    (error) => outcomes.end({ error }),
  );
  try {
    yield* outcomes;
    return undefined;
  } catch (error) {
    if (!isDamage(error) || options.signal.aborted) throw error;
    return error;
  } finally {
    run.stop();
    await ended;
  }
}

/** Once it is to stop, a commit's message waits no longer than that for what only the cluster can explain. */
const EXPLAIN_MS = 3000;

type RunParts = Omit<ArchiveParts, 'openSealer'> & LineAccess & { readonly sealer: Sealer };

/** One run of the flow: holds what its stages share. */
class ArchiveRun {
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
  readonly #intake: Intake;
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
    this.#storage = new Storage({
      report: (outcome) => this.#report(outcome),
      signal: this.#signal,
      isPatient: !options.once,
    });
    this.#volumes = openVolumes(parts.openVolumeData, spaces, {
      ...{ guard: options.guard, clock: parts.clock, signal: this.#signal, fail },
      touched: () => this.#closer.touched(),
      noted: (repository) => this.#publishing?.mark(repository),
      report: (outcome) => this.#report(outcome),
    });
    this.#closing = this.#closingOf();
    this.#intake = this.#intakeOf();
    this.#closer = new WindowCloser({
      spaces,
      limits: options.window,
      clock: parts.clock,
      close: (space) => closeWindow(this.#closing, space),
      storage: this.#storage,
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
    const report = (outcome: Outcome) => this.#report(outcome);
    this.#ended = new EndedLines({ ...options, names: parts.names, guard: options.guard, report });
    const part = partBy(parts, options, { spaces, report });
    this.#publishing = openPublishing(parts, options, { spaces, ended: this.#ended, part, report, fail });
    this.#lines = openLines(parts, options, {
      ...{ spaces, storage: this.#storage, closing: this.#closing, intake: this.#intake },
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
    using _offered = this.#parts.vitals?.offer(this.#offered());
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

  #offered(): Offered {
    const spaces = this.#spaces;
    return {
      gaps: () => [...this.#coverage.gaps(), ...this.#streams.gaps],
      unpushed: () => this.#publishing?.waiting ?? [],
      held: () =>
        spaces.all().flatMap(({ name, held }) => (held.size === 0 ? [] : [{ repository: name, deletions: held.size }])),
      repositories: () => spaces.all().length,
      openWindows: () => spaces.all().filter((space) => space.window !== undefined).length,
    };
  }

  async #take(change: Change, list: ListInProgress | undefined): Promise<void> {
    switch (change.type) {
      case 'applied': {
        this.#scaled.note(change.resource, change.object);
        if (isDefinition(change.resource)) this.#coverage.noteDefinition(change.object.metadata.name);
        const seen = { isListed: list !== undefined };
        const place = await takeApplied(this.#intake, change.resource, change.object, seen);
        if (list !== undefined && place !== undefined) {
          list.seen.add(place);
          list.objects++;
        }
        await boundStage(this.#spaces, this.#storage);
        break;
      }
      case 'deleted':
        this.#scaled.forget(change.resource, change.object);
        await takeDeleted(this.#intake, change.resource, change.object);
        break;
      case 'synced':
        if (list !== undefined) {
          const newer = await newerThan(this.#spaces, change);
          sweepUnseen(this.#spaces, { ...change, ...list, newer }, this.#parts.clock.monotonic());
        }
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

  #intakeOf(): Intake {
    return {
      spaces: this.#spaces,
      scope: this.#options.scope,
      rules: this.#parts.rules,
      sealer: this.#parts.sealer,
      clock: this.#parts.clock,
      tally: this.#tally,
      storage: this.#storage,
      includeOwned: this.#options.includeOwned,
      isScaleTarget: (target) => this.#scaled.has(target),
      isArchived: (group, kind) => this.#coverage.isArchived(group, kind),
    };
  }
}
