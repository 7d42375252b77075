import { gradeOf } from '../core/data/grade.ts';
import { keepsEverything } from '../core/data/retention.ts';
import { pause } from '../core/pause.ts';
import { sideBySide } from '../core/streams.ts';
import type { Repository } from '../git/repository.ts';
import { type Engine, patiently } from './engine.ts';
import { follow } from './follow.ts';
import type { Keeper } from './keeper.ts';
import { failedOf, type Orphan } from './orphans.ts';
import { leftError, pruneWithin } from './prune.ts';
import { renderNames } from './recall.ts';
import { removeSnapshot } from './remove-snapshot.ts';
import type { Run } from './run.ts';
import type { Tasks } from './tasks.ts';

/** A driver that failed to cut a snapshot often fails to delete it, for as long as it fails. */
const FAILED_MS = 5000;
const PRUNE_AGAIN_MS = 300_000;
const SIDE_BY_SIDE = 4;

/** What was asked for, until it is decided, and what follows from that. */
export class Runs {
  readonly #engine: Engine;
  readonly #tasks: Tasks;
  readonly #later: Tasks;
  /** By their ids, from the asking on: their snapshots are nobody's orphans. */
  readonly #open = new Map<string, Run>();
  readonly #pruning = new Map<string, Promise<void>>();

  /** `later`: what nobody waits for while the archive runs. */
  constructor(engine: Engine, tasks: Tasks, later: Tasks) {
    this.#engine = engine;
    this.#tasks = tasks;
    this.#later = later;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** `asking` resolves when everything was asked for or refused. */
  begin(run: Run, asking: () => Promise<void>): void {
    this.#open.set(run.id, run);
    run.asking = this.#tasks.run(asking);
  }

  /** The commit is there, and `noted` is its note. */
  follow(keeper: Keeper, run: Run, noted: string): void {
    this.#open.set(run.id, run);
    this.#tasks.run(async () => {
      const isDecided = await follow(this.#engine, run, noted);
      await run.asking;
      await run.release();
      this.#open.delete(run.id);
      if (isDecided) await this.#decided(keeper, run);
    });
  }

  /** The commit was not made: nobody will ever name these. */
  takeBack(run: Run): void {
    this.#tasks.run(async () => {
      await run.asking;
      await run.release();
      const bySnapshot = Map.groupBy(run.records.values(), ({ volumeSnapshot }) => volumeSnapshot);
      const orphans = [...bySnapshot].map(([snapshot, records]) => ({ snapshot, records }));
      await this.#remove(run.repository, orphans);
      this.#open.delete(run.id);
    });
  }

  /** One after the other for each repository. */
  async prune(keeper: Keeper): Promise<void> {
    const before = this.#pruning.get(keeper.repository) ?? Promise.resolve();
    const next = before.then(() => this.#pruneNow(keeper));
    this.#pruning.set(
      keeper.repository,
      next.catch(() => undefined),
    );
    await next;
  }

  async release(): Promise<void> {
    await Promise.all([...this.#open.values()].map((run) => run.release()));
  }

  async #decided(keeper: Keeper, run: Run): Promise<void> {
    const { parts, access } = this.#engine;
    const { repository, note } = run;
    const commit = run.commit as string;
    keeper.known?.note(commit, note);
    const states = [...run.records.values()].map(({ state }) => state);
    const { grade, words } = gradeOf(note);
    access.report({
      ...{ type: 'snapshots-decided', repository, commit, grade, words },
      ready: states.filter((state) => state === 'ready').length,
      failed: states.filter((state) => state === 'failed').length,
      impossible: Object.values(note.skipped ?? {}).filter(({ kind }) => kind === 'impossible').length,
      durationMs: parts.clock.wall() - run.askedAt,
      ...(run.handlesMs === undefined ? {} : { handlesMs: run.handlesMs }),
    });
    keeper.arm();
    await this.#remove(repository, failedOf([...run.records.values()]));
    if (!keepsEverything(parts.policy.retention)) await this.prune(keeper);
  }

  /** Nobody waits for a driver that keeps what it failed to cut; it is asked again until it lets go. */
  async #remove(repository: string, orphans: readonly Orphan[]): Promise<void> {
    if (orphans.length === 0) return;
    const remover = { ...this.#engine, patienceMs: FAILED_MS };
    const remove = () =>
      sideBySide(orphans, SIDE_BY_SIDE, async ({ records }) => {
        await this.#engine.access.guard();
        await removeSnapshot(remover, { namespace: repository, records });
      });
    if (await patiently(this.#engine, { repository, doing: 'follow', tries: 1 }, remove)) return;
    this.#later.run(async () => void (await patiently(this.#engine, { repository, doing: 'follow' }, remove)));
  }

  async #pruneNow(keeper: Keeper): Promise<void> {
    const { parts, access, cluster, signal } = this.#engine;
    const { repository } = keeper;
    const pruneParts = { ...parts, retention: parts.policy.retention, guard: access.guard, signal };
    const isDone = await patiently(this.#engine, { repository, doing: 'prune', tries: 2 }, async () => {
      const within = <T>(work: (open: Repository) => Promise<T>) => access.within(repository, work);
      const pruned = await pruneWithin(pruneParts, cluster, repository, within, keeper.pruneIndex);
      for (const [commit, note] of pruned.notes) keeper.known?.note(commit, note);
      const { removed } = pruned;
      const told = { repository, count: removed.length, snapshots: renderNames(removed) };
      if (removed.length > 0) access.report({ type: 'snapshots-removed', why: 'pruned', ...told });
      const failure = leftError(pruned);
      if (failure !== undefined) throw failure;
    });
    if (isDone || signal.aborted) return;
    this.#later.run(async () => {
      await pause(PRUNE_AGAIN_MS, signal);
      if (!signal.aborted) await this.prune(keeper);
    });
  }
}
