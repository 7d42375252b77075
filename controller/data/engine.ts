import type { DataPolicy } from '../core/data/policy.ts';
import type { Quiescer } from '../core/data/quiesce.ts';
import type { DataAccess } from '../core/data/volume-data.ts';
import { pause } from '../core/pause.ts';
import type { Clock } from '../core/ports.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import { KeeperError } from '../errors.ts';
import type { Identity } from '../git/commit-object.ts';
import type { Repository } from '../git/repository.ts';
import type { SnapshotCluster } from './snapshot-cluster.ts';

/** What every step of the volume data works with. */

/** Snapshots are objects like others. */
export type SnapshotTarget = Pick<RestoreTarget, 'discover' | 'get' | 'list' | 'create' | 'patch' | 'remove'>;

export interface DataParts {
  readonly target: SnapshotTarget;
  readonly policy: DataPolicy;
  /** 16 hexadecimal digits of the data directory: marks what is ours in the cluster. */
  readonly archiveId: string;
  readonly clock: Clock;
  /** Undefined where no hook may run. */
  readonly quiescer: Quiescer | undefined;
  /** Who signs notes. */
  readonly author: Identity;
  /** Eight random characters [a-z0-9]. */
  readonly newRunId: () => string;
}

export interface Engine {
  readonly parts: DataParts;
  readonly access: DataAccess<Repository>;
  readonly cluster: SnapshotCluster;
  /** Nothing goes on after it. */
  readonly signal: AbortSignal;
}

type Doing = 'ask' | 'follow' | 'prune' | 'recall';

const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [1000, 300_000];

/** Tries again until it comes off, and tells each failure; false when it was stopped. What no waiting mends is thrown. */
export async function patiently(
  { access, signal }: Pick<Engine, 'access' | 'signal'>,
  { repository, doing, tries = Number.POSITIVE_INFINITY }: { repository: string; doing: Doing; tries?: number },
  work: () => Promise<void>,
): Promise<boolean> {
  for (let [afterMs, tried] = [FIRST_RETRY_MS, 1]; !signal.aborted; tried++) {
    try {
      await work();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { code, message } = passing(error);
      access.report({ type: 'snapshots-failed', repository, doing, code, reason: message, afterMs });
      if (tried >= tries) return false;
    }
    await pause(afterMs, signal);
    afterMs = Math.min(afterMs * 2, LONGEST_RETRY_MS);
  }
  return false;
}

const FINAL: ReadonlySet<string> = new Set(['LEADERSHIP_LOST', 'DATA_DIRECTORY_IN_USE']);

/** What may pass, or what somebody may mend while we go on; anything else is thrown. */
export function passing(error: unknown): KeeperError {
  if (error instanceof KeeperError && error.kind !== 'defect' && !FINAL.has(error.code)) return error;
  throw error;
}
