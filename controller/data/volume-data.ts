import { keepsEverything } from '../core/data/retention.ts';
import type { CommitData, CommitOccasion, DataAccess, VolumeData } from '../core/data/volume-data.ts';
import { CLUSTER_REPOSITORY } from '../core/object.ts';
import { sideBySide } from '../core/streams.ts';
import type { Repository } from '../git/repository.ts';
import { dataOfNext, withoutData } from './before-commit.ts';
import { type DataParts, type Engine, passing, patiently } from './engine.ts';
import { Keeper } from './keeper.ts';
import { recall, sweep } from './recall.ts';
import { Runs } from './runs.ts';
import { SnapshotCluster } from './snapshot-cluster.ts';
import { Tasks } from './tasks.ts';

export type { DataParts } from './engine.ts';

/** Volume data of all repositories of one archive: asks with each commit, follows, prunes, and takes up what an earlier process left. */
export function openVolumeData(parts: DataParts, access: DataAccess<Repository>): VolumeData {
  return new Volumes(parts, access);
}

const SIDE_BY_SIDE = 4;
const NOTHING: CommitData = { trailers: [], asked: 0, committed: async () => {}, abandoned: async () => {} };
const NEVER = new AbortController().signal;

class Volumes implements VolumeData {
  readonly #engine: Engine;
  readonly #closing = new AbortController();
  readonly #keepers = new Map<string, Keeper>();
  readonly #tasks: Tasks;
  readonly #later: Tasks;
  readonly #runs: Runs;

  constructor(parts: DataParts, access: DataAccess<Repository>) {
    const signal = AbortSignal.any([access.signal, this.#closing.signal]);
    this.#engine = { parts, access, signal, cluster: new SnapshotCluster(parts.target, parts.clock) };
    const fail = (error: unknown) => {
      if (!signal.aborted) access.fail(error);
    };
    this.#tasks = new Tasks(fail);
    this.#later = new Tasks(fail);
    this.#runs = new Runs(this.#engine, this.#tasks, this.#later);
  }

  start(repositories: readonly string[]): void {
    const names = repositories.filter((name) => name !== CLUSTER_REPOSITORY);
    this.#tasks.run(async () => {
      await Promise.all([this.#recallHooks(), this.#warm()]);
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
      const data = await dataOfNext(this.#engine, keeper, this.#runs, forced);
      keeper.isForced = false;
      return data;
    } catch (error) {
      if (!signal.aborted) {
        const { code, message } = passing(error);
        keeper.isForced = forced;
        const afterMs = keeper.rest();
        access.report({ type: 'snapshots-failed', repository, doing: 'ask', code, reason: message, afterMs });
      }
      return withoutData(this.#engine, keeper);
    }
  }

  settle(signal: AbortSignal): Promise<void> {
    return this.#tasks.settle(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const keeper of this.#keepers.values()) keeper.stop();
    await this.#tasks.settle(NEVER);
    await this.#later.settle(NEVER);
    await this.#runs.release();
  }

  async #recallHooks(): Promise<void> {
    const { parts, access, signal } = this.#engine;
    const { quiescer } = parts;
    if (quiescer === undefined) return;
    await patiently(this.#engine, { repository: '', doing: 'recall', tries: 3 }, async () => {
      for (const told of await quiescer.recall(signal)) access.report({ type: 'hooks-recalled', told });
    });
  }

  /** The first commit does not wait for what is the same for all. */
  async #warm(): Promise<void> {
    const { cluster, signal } = this.#engine;
    await patiently(this.#engine, { repository: '', doing: 'recall', tries: 1 }, async () => {
      await Promise.all([cluster.classes('classes', signal), cluster.classes('groupClasses', signal)]);
    });
  }

  async #recall(repository: string): Promise<void> {
    const keeper = this.#keeper(repository);
    await patiently(this.#engine, { repository, doing: 'recall' }, async () => {
      await keeper.history();
      const { runs, orphans, isHalfPruned } = await recall(this.#engine, repository, (id) => this.#runs.has(id));
      for (const run of runs) this.#runs.follow(keeper, run, '');
      keeper.arm();
      this.#tasks.run(async () => {
        const what = { repository, doing: 'recall', tries: 5 } as const;
        await patiently(this.#engine, what, () => sweep(this.#engine, repository, orphans));
        const isPruning = isHalfPruned || !keepsEverything(this.#engine.parts.policy.retention);
        if (isPruning) await this.#runs.prune(keeper);
      });
    });
  }

  #keeper(repository: string): Keeper {
    const known = this.#keepers.get(repository) ?? new Keeper(repository, this.#engine);
    this.#keepers.set(repository, known);
    return known;
  }
}
