import { setTimeout as sleep } from 'node:timers/promises';
import type { RetryPolicy } from '../core/backoff.ts';

/** How patient the edge is; how long each wait is, core/backoff.ts says. */

export { backoffMs, type RetryPolicy } from '../core/backoff.ts';

export const RETRY: RetryPolicy = { baseMs: 500, capMs: 30_000 };

/** A server that does not answer at all is asked more often: nobody else waits in its queue, and restarts are short. */
export const RETRY_UNREACHABLE: RetryPolicy = { baseMs: 500, capMs: 8_000 };

/** Waits; aborting throws the signal's reason. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
