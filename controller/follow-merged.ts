import { setTimeout as sleep } from 'node:timers/promises';
import type { ArchiveConfig, MergedConfig, RemoteConfig } from './config.ts';
import type { ProposeConfig } from './config-propose.ts';
import type { Outcome } from './core/outcome.ts';
import { EVERYTHING } from './core/restore/plan.ts';
import { KeeperError } from './errors.ts';
import type { ObjectId } from './git/object-id.ts';
import { type Merging, openMerging } from './open-apply-merged.ts';

/** The running archiver applies restores once their pull requests are merged, as `apply-merged` does, with somebody else's rights. */

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly tell: (outcome: Outcome) => void;
  /** A failure that is tried again after so many milliseconds. */
  readonly retry: (error: KeeperError, ms: number) => void;
}

/** A forge that has just got its first push may not know its own repository for a moment. */
const TOLD_AT = 2;

/** A forge moves main first and says later that a pull request was merged. */
const LEAST_SETTLING_MS = 60_000;

type FollowConfig = ArchiveConfig & { readonly merged: MergedConfig; readonly remote: RemoteConfig };

export function isFollowing(config: ArchiveConfig): config is FollowConfig {
  return config.merged !== undefined && config.remote !== undefined;
}

/** Until the signal. Throws defects only. */
export async function followMerged(config: FollowConfig, { signal, tell, retry }: FollowOptions): Promise<void> {
  const { everyMs } = config.merged;
  const follower = new Follower(Math.max(LEAST_SETTLING_MS, 3 * everyMs), tell, (error) => retry(error, everyMs));
  while (!signal.aborted) {
    try {
      // Opened anew each time: credentials are rotated, and by hand the verb can be run in between.
      await using merging = await openMerging(asRestorer(config), { ...config.merged, signal });
      await follower.look(merging);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
      retry(error, everyMs);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

class Follower {
  /** Where the main of each remote is, and since when: a forge counts the questions to its API, so it is asked after main has moved. */
  readonly #heads = new Map<string, { readonly id: ObjectId; readonly since: number }>();
  readonly #unsettled = new Set<string>();
  /** By repository and pull request: why it failed, and how often in a row. */
  readonly #failed = new Map<string, { readonly words: string; readonly times: number }>();
  readonly #settlingMs: number;
  readonly #tell: (outcome: Outcome) => void;
  readonly #retry: (error: KeeperError) => void;

  constructor(settlingMs: number, tell: (outcome: Outcome) => void, retry: (error: KeeperError) => void) {
    this.#settlingMs = settlingMs;
    this.#tell = tell;
    this.#retry = retry;
  }

  async look(merging: Merging): Promise<void> {
    for (const repository of await merging.repositories()) {
      try {
        const head = await merging.remoteHead(repository);
        // It was never pushed there, so nothing can have been merged.
        if (head === undefined) continue;
        if (!this.#isDue(repository, head)) continue;
        if (await this.#settle(merging, repository)) this.#unsettled.delete(repository);
        else this.#unsettled.add(repository);
      } catch (error) {
        // One remote that does not answer holds up no other; it is not there yet for a repository that was never pushed.
        if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
        if (error.code !== 'REMOTE_NOT_FOUND') this.#retry(error);
      }
    }
  }

  #isDue(repository: string, id: ObjectId): boolean {
    const now = performance.now();
    let head = this.#heads.get(repository);
    if (head?.id !== id) {
      head = { id, since: now };
      this.#heads.set(repository, head);
    }
    return now - head.since < this.#settlingMs || this.#unsettled.has(repository);
  }

  /** False while something of it failed. */
  async #settle(merging: Merging, repository: string): Promise<boolean> {
    let isSettled = true;
    for await (const { result, number, url = '', words } of merging.apply([repository])) {
      const key = `${repository} ${number ?? ''}`;
      const times = result === 'failed' ? this.#countFailure(key, words) : undefined;
      if (times === undefined || times === TOLD_AT)
        this.#tell({ type: 'merged', repository, url, result, message: words });
      if (times === undefined) this.#failed.delete(key);
      else isSettled = false;
    }
    return isSettled;
  }

  #countFailure(key: string, words: string): number {
    const last = this.#failed.get(key);
    const times = last?.words === words ? last.times + 1 : 1;
    this.#failed.set(key, { words, times });
    return times;
  }
}

function asRestorer({ merged, remote, scope: _scope, ...config }: FollowConfig): ProposeConfig {
  const { asUser, identityFile } = merged;
  return {
    ...config,
    remote,
    repository: '',
    to: 'HEAD',
    selection: EVERYTHING,
    storageClasses: new Map(),
    hosts: undefined,
    images: [],
    asUser,
    asGroups: [],
    ...(identityFile === undefined ? {} : { identityFile }),
  };
}
