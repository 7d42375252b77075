import { dataOfCommit } from '../core/data/cadence.ts';
import { gradeOf } from '../core/data/grade.ts';
import type { DataNote } from '../core/data/record.ts';
import { renderNote } from '../core/data/record.ts';
import { planSnapshots, type SnapshotPlan } from '../core/data/snapshot-plan.ts';
import { renderSnapshotTrailers } from '../core/data/snapshot-trailers.ts';
import type { CommitData, CommitOccasion, DataAccess, VolumeData } from '../core/data/volume-data.ts';
import { CLUSTER_REPOSITORY, stringAt } from '../core/object.ts';
import type { Clock } from '../core/ports.ts';
import { sideBySide } from '../core/streams.ts';
import { KeeperError } from '../errors.ts';
import type { Repository } from '../git/repository.ts';
import { askFor, beginRun, skippedOf } from './ask.ts';
import { type DataParts, type Engine, passing, patiently } from './engine.ts';
import { follow } from './follow.ts';
import { Keeper } from './keeper.ts';
import { writeNote } from './notes.ts';
import { failedOf, type Orphan } from './orphans.ts';
import { pause } from './pause.ts';
import { keepsAll, leftError, pruneWithin } from './prune.ts';
import { readVolumes } from './read-volumes.ts';
import { recall, renderNames, sweep } from './recall.ts';
import { removeSnapshot } from './remove-snapshot.ts';
import type { Run } from './run.ts';
import { SnapshotCluster } from './snapshot-cluster.ts';

export type { DataParts } from './engine.ts';

/** Volume data of all repositories of one archive: asks with each commit, follows, prunes, and takes up what an earlier process left. */
export function openVolumeData(parts: DataParts, access: DataAccess<Repository>): VolumeData {
  return new Volumes(parts, access);
}

/** A commit does not wait longer for the cluster; somebody who asked for a backup does. */
const PLAN_MS = 2000;
const FORCED_PLAN_MS = 15_000;
/** What is refused by then is not named in the commit. */
const ASK_MS = 300;
const SIDE_BY_SIDE = 4;

const NOTHING: CommitData = { trailers: [], asked: 0, committed: async () => {}, abandoned: async () => {} };

class Volumes implements VolumeData {
  readonly #engine: Engine;
  readonly #keepers = new Map<string, Keeper>();
  readonly #closing = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  /** Runs of this process, until their commits are in the history that recall reads. */
  readonly #runs = new Map<string, Run>();
  readonly #pruning = new Map<string, Promise<void>>();

  constructor(parts: DataParts, access: DataAccess<Repository>) {
    const signal = AbortSignal.any([access.signal, this.#closing.signal]);
    this.#engine = { parts, access, signal, cluster: new SnapshotCluster(parts.target, parts.clock) };
  }

  start(repositories: readonly string[]): void {
    const names = repositories.filter((name) => name !== CLUSTER_REPOSITORY);
    this.#task(async () => {
      await this.#recallHooks();
      await sideBySide(names, SIDE_BY_SIDE, (name) => this.#recall(name));
    });
  }

  async beforeCommit(repository: string, { isForced }: CommitOccasion): Promise<CommitData> {
    const { access, signal } = this.#engine;
    if (repository === CLUSTER_REPOSITORY || signal.aborted) return NOTHING;
    const keeper = this.#keeper(repository);
    const forced = isForced || keeper.isForced;
    keeper.begin();
    try {
      return await this.#dataOf(keeper, forced);
    } catch (error) {
      if (signal.aborted) return ended(keeper, this.#engine.parts.clock);
      const { code, message } = passing(error);
      keeper.isForced = forced;
      const afterMs = keeper.rest();
      access.report({ type: 'snapshots-failed', repository, doing: 'ask', code, reason: message, afterMs });
      return ended(keeper, this.#engine.parts.clock);
    }
  }

  async settle(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (this.#tasks.size > 0 && !signal.aborted) await Promise.race([stopped, Promise.all(this.#tasks)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const keeper of this.#keepers.values()) keeper.stop();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    await Promise.all([...this.#runs.values()].map((run) => run.release()));
  }

  async #dataOf(keeper: Keeper, isForced: boolean): Promise<CommitData> {
    const { parts, cluster, access, signal } = this.#engine;
    const { repository } = keeper;
    const read = (until: AbortSignal) => readVolumes(cluster, repository, until);
    const volumes = await withinTime(isForced ? FORCED_PLAN_MS : PLAN_MS, signal, read);
    const history = await keeper.history();
    if (history === undefined) return ended(keeper, this.#engine.parts.clock);
    const plan = volumes === undefined ? NO_PLAN : planSnapshots(volumes, parts.policy);
    this.#tellImpossible(keeper, plan);
    const planned = [...plan.alone, ...plan.groups.flatMap(({ members }) => members)];
    const claims = planned.map(({ claim: { metadata } }) => ({
      name: metadata.name,
      uid: stringAt(metadata, 'uid') ?? '',
    }));
    if (volumes === undefined || claims.length === 0) {
      keeper.isForced = false;
      keeper.idle(plan.skipped.some(({ kind }) => kind === 'impossible'));
      return this.#without(keeper, plan);
    }
    keeper.busy();
    const now = parts.clock.wall();
    const data = isForced
      ? ({ kind: 'ask' } as const)
      : dataOfCommit(claims, keeper.runsAt(now, history), parts.policy.cadence, now);
    if (data.kind !== 'ask') {
      const named = data.kind === 'covered' ? { snapshots: data.snapshots, coveredBy: data.commit } : NO_SNAPSHOTS;
      return this.#named(keeper, named, undefined);
    }
    await access.guard();
    return this.#ask(keeper, plan, volumes.pods);
  }

  async #ask(keeper: Keeper, plan: SnapshotPlan, pods: Parameters<typeof askFor>[3]): Promise<CommitData> {
    const engine = this.#engine;
    const run = beginRun(engine, keeper.repository, plan);
    this.#runs.set(run.id, run);
    run.asking = this.#task(() => askFor(engine, run, plan, pods));
    await Promise.race([run.asking, pause(ASK_MS, engine.signal)]);
    keeper.isForced = false;
    const snapshots = run.named;
    return {
      trailers: renderSnapshotTrailers({ snapshots, coveredBy: undefined }),
      asked: snapshots.size,
      committed: async (id) => {
        run.commit = id;
        keeper.wake();
        const time = engine.parts.clock.wall();
        const { note } = run;
        (await keeper.history())?.add({ id, time, tags: [], snapshots, coveredBy: undefined, note });
        const isNoted = await this.#note(keeper.repository, id, note);
        const impossible = plan.skipped.filter(({ kind }) => kind === 'impossible').length;
        const told = { repository: keeper.repository, commit: id, claims: snapshots.size, impossible };
        engine.access.report({ type: 'snapshots-asked', ...told });
        this.#follow(keeper, run, isNoted ? renderNote(note) : '');
        keeper.end();
      },
      abandoned: async () => {
        keeper.rest();
        this.#task(() => this.#takeBack(keeper, run));
        keeper.end();
      },
    };
  }

  /** Nothing can be asked for. Why is noted where it was not before. */
  #without(keeper: Keeper, plan: SnapshotPlan): Promise<CommitData> {
    const isTold = plan.skipped.some(({ kind }) => kind === 'impossible');
    return this.#named(keeper, NO_SNAPSHOTS, isTold ? { version: 1, skipped: skippedOf(plan) } : undefined);
  }

  /** A commit that asks for nothing itself. */
  async #named(
    keeper: Keeper,
    named: { readonly snapshots: ReadonlyMap<string, string>; readonly coveredBy: string | undefined },
    wanted: DataNote | undefined,
  ): Promise<CommitData> {
    const history = await keeper.history();
    const isNew = wanted !== undefined && JSON.stringify(history?.skipped) !== JSON.stringify(wanted.skipped);
    const note = isNew ? wanted : undefined;
    return {
      trailers: renderSnapshotTrailers(named),
      asked: 0,
      committed: async (id) => {
        history?.add({ id, time: this.#engine.parts.clock.wall(), tags: [], ...named, note });
        if (note !== undefined) await this.#note(keeper.repository, id, note);
        keeper.end();
      },
      abandoned: async () => keeper.end(),
    };
  }

  #tellImpossible(keeper: Keeper, plan: SnapshotPlan): void {
    const { repository } = keeper;
    const impossible = plan.skipped.filter(({ kind }) => kind === 'impossible');
    const reasons = impossible.map(({ name, why }) => `${name}: ${why}`).join('; ');
    if (reasons === keeper.told) return;
    keeper.told = reasons;
    this.#engine.access.report({ type: 'snapshots-impossible', repository, claims: impossible.length, reasons });
  }

  /** False when the disk did not take it: it is written later. */
  async #note(repository: string, commit: string, note: DataNote): Promise<boolean> {
    const { access } = this.#engine;
    try {
      return await writeNote(this.#engine, repository, commit, note);
    } catch (error) {
      const { code, message } = passing(error);
      access.report({ type: 'snapshots-failed', repository, doing: 'follow', code, reason: message, afterMs: 0 });
      return false;
    }
  }

  #follow(keeper: Keeper, run: Run, noted: string): void {
    this.#runs.set(run.id, run);
    this.#task(async () => {
      const isDecided = await follow(this.#engine, run, noted);
      await run.asking;
      await run.release();
      if (!isDecided) return;
      this.#runs.delete(run.id);
      await this.#decided(keeper, run);
    });
  }

  async #decided(keeper: Keeper, run: Run): Promise<void> {
    const { parts, access } = this.#engine;
    const { repository } = keeper;
    const commit = run.commit as string;
    (await keeper.history())?.note(commit, run.note);
    const states = [...run.records.values()].map(({ state }) => state);
    const { grade, words } = gradeOf(run.note);
    access.report({
      ...{ type: 'snapshots-decided', repository, commit, grade, words },
      ready: states.filter((state) => state === 'ready').length,
      failed: states.filter((state) => state === 'failed').length,
      impossible: Object.values(run.note.skipped ?? {}).filter(({ kind }) => kind === 'impossible').length,
      durationMs: parts.clock.wall() - run.askedAt,
      ...(run.handlesMs === undefined ? {} : { handlesMs: run.handlesMs }),
    });
    keeper.arm();
    await this.#remove(repository, failedOf([...run.records.values()]));
    await this.#prune(keeper);
  }

  /** The commit was not made: nobody will ever name these. */
  async #takeBack(keeper: Keeper, run: Run): Promise<void> {
    await run.asking;
    await run.release();
    const bySnapshot = Map.groupBy(run.records.values(), ({ volumeSnapshot }) => volumeSnapshot);
    await this.#remove(
      keeper.repository,
      [...bySnapshot].map(([snapshot, records]) => ({ snapshot, records })),
    );
    this.#runs.delete(run.id);
  }

  /** Deletion is asked for and waited for once; what the driver keeps nevertheless is removed at the next start. */
  async #remove(repository: string, orphans: readonly Orphan[]): Promise<void> {
    if (orphans.length === 0) return;
    await patiently(this.#engine, { repository, doing: 'follow', tries: 2 }, () =>
      sideBySide(orphans, SIDE_BY_SIDE, async ({ records }) => {
        await this.#engine.access.guard();
        await removeSnapshot(this.#engine, { namespace: repository, records });
      }),
    );
  }

  async #recallHooks(): Promise<void> {
    const { parts, signal } = this.#engine;
    const { quiescer } = parts;
    if (quiescer === undefined) return;
    await patiently(this.#engine, { repository: '', doing: 'recall', tries: 3 }, async () => {
      await quiescer.recall(signal);
    });
  }

  async #recall(repository: string): Promise<void> {
    const keeper = this.#keeper(repository);
    await patiently(this.#engine, { repository, doing: 'recall' }, async () => {
      await keeper.history();
      const { runs, orphans } = await recall(this.#engine, repository, (id) => this.#runs.has(id));
      for (const run of runs) this.#follow(keeper, run, '');
      keeper.arm();
      this.#task(async () => {
        await patiently(this.#engine, { repository, doing: 'recall', tries: 5 }, () =>
          sweep(this.#engine, repository, orphans),
        );
        await this.#prune(keeper);
      });
    });
  }

  /** One after the other for each repository. */
  async #prune(keeper: Keeper): Promise<void> {
    const { repository } = keeper;
    const before = this.#pruning.get(repository) ?? Promise.resolve();
    const next = before.then(() => this.#pruneNow(keeper));
    this.#pruning.set(
      repository,
      next.catch(() => undefined),
    );
    await next;
  }

  async #pruneNow(keeper: Keeper): Promise<void> {
    const { parts, access, cluster, signal } = this.#engine;
    const { repository } = keeper;
    const { retention } = parts.policy;
    if (keepsAll(retention)) return;
    await patiently(this.#engine, { repository, doing: 'prune', tries: 3 }, async () => {
      const pruned = await pruneWithin(
        { ...parts, retention, guard: access.guard, signal },
        cluster,
        repository,
        (work) => access.within(repository, work),
      );
      for (const [commit, note] of pruned.notes) (await keeper.history())?.note(commit, note);
      const { removed } = pruned;
      const told = { repository, count: removed.length, snapshots: renderNames(removed) };
      if (removed.length > 0) access.report({ type: 'snapshots-removed', why: 'pruned', ...told });
      const failure = leftError(pruned);
      if (failure !== undefined) throw failure;
    });
  }

  #keeper(repository: string): Keeper {
    const known = this.#keepers.get(repository) ?? new Keeper(repository, this.#engine);
    this.#keepers.set(repository, known);
    return known;
  }

  /** Goes on beside everything else; a failure that nobody waits out ends the archive. */
  #task(work: () => Promise<void>): Promise<void> {
    const task = work()
      .catch((error: unknown) => {
        if (!this.#engine.signal.aborted) this.#engine.access.fail(error);
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
    return task;
  }
}

const NO_PLAN: SnapshotPlan = { alone: [], groups: [], skipped: [] };
const NO_SNAPSHOTS = { snapshots: new Map<string, string>(), coveredBy: undefined };

/** The commit says nothing of volumes. */
function ended(keeper: Keeper, clock: Clock): CommitData {
  const committed = async (id: string) => {
    (await keeper.history())?.add({ id, time: clock.wall(), tags: [], ...NO_SNAPSHOTS, note: undefined });
    keeper.end();
  };
  return { ...NOTHING, committed, abandoned: async () => keeper.end() };
}

async function withinTime<T>(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const tooLate = new AbortController();
  const error = new KeeperError(
    `The cluster did not say within ${ms / 1000} s which claims there are; the commit is made without its volumes, they follow`,
    { kind: 'transient', code: 'CLUSTER_BUSY' },
  );
  const timer = setTimeout(() => tooLate.abort(error), ms);
  try {
    return await work(AbortSignal.any([signal, tooLate.signal]));
  } finally {
    clearTimeout(timer);
  }
}
