import type { Outcome } from '../core/outcome.ts';
import { pause } from '../core/pause.ts';
import { KeeperError } from '../errors.ts';

/**
 * A disk that is full or read-only fails a write, and the archive waits for it: what was read stays in memory up to its bound,
 * and beyond that reading pauses, so that nothing is dropped and nothing grows. Tried again after a second, then twice as long, up to
 * half a minute: it goes on by itself soon after there is room.
 */

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

export class Storage {
  readonly #report: (outcome: Outcome) => void;
  readonly #signal: AbortSignal;
  readonly #isPatient: boolean;
  readonly #failing = new Map<string, { readonly reason: string; readonly afterMs: number }>();

  /** Without patience the first failure is thrown: a single run has nobody to wait for. */
  constructor(parts: {
    readonly report: (outcome: Outcome) => void;
    readonly signal: AbortSignal;
    readonly isPatient: boolean;
  }) {
    this.#report = parts.report;
    this.#signal = parts.signal;
    this.#isPatient = parts.isPatient;
  }

  /** Notes a failed write and answers after how many milliseconds to try again; throws what is no failure of the disk. */
  failed(repository: string, error: unknown): number {
    if (!isStorageFailure(error) || !this.#isPatient) throw error;
    const before = this.#failing.get(repository);
    const afterMs = before === undefined ? FIRST_RETRY_MS : Math.min(before.afterMs * 2, LONGEST_RETRY_MS);
    this.#failing.set(repository, { reason: error.message, afterMs });
    if (before?.reason !== error.message) {
      this.#report({ type: 'storage-failed', repository, reason: error.message, afterMs });
    }
    return afterMs;
  }

  succeeded(repository: string): void {
    if (this.#failing.delete(repository)) this.#report({ type: 'storage-recovered', repository });
  }

  /** Does the work until the disk takes it; ends with the last failure when the run is stopped. */
  async persist<Result>(repository: string, work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        const result = await work();
        this.succeeded(repository);
        return result;
      } catch (error) {
        const afterMs = this.failed(repository, error);
        if (this.#signal.aborted) throw error;
        await pause(afterMs, this.#signal);
      }
    }
  }
}

/** No space, a quota, a read-only or failing disk: not our state, and not a reason to end. */
function isStorageFailure(error: unknown): error is KeeperError {
  return error instanceof KeeperError && error.code === 'DATA_DIRECTORY_UNUSABLE';
}
