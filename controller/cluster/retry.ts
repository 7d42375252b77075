import { setTimeout as sleep } from 'node:timers/promises';

/** Waiting before another try: full jitter under a cap, never less than what the server asked for (Retry-After). */

export interface RetryPolicy {
  /** Upper bound of the first wait. */
  readonly baseMs: number;
  /** Upper bound of all waits; a longer Retry-After is still obeyed. */
  readonly capMs: number;
}

export const RETRY: RetryPolicy = { baseMs: 500, capMs: 30_000 };

/** A server that does not answer at all is asked more often: nobody else waits in its queue, and restarts are short. */
export const RETRY_UNREACHABLE: RetryPolicy = { baseMs: 500, capMs: 8_000 };

/** How long to wait before try `attempt` + 1 (the first failure is attempt 1); `random` is in [0, 1). */
export function backoffMs(attempt: number, random: () => number, policy: RetryPolicy, retryAfterMs = 0): number {
  const bound = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30));
  const jitter = random() * bound;
  // Those who were all told the same second must not come back in the same millisecond.
  return retryAfterMs === 0 ? jitter : retryAfterMs + Math.min(jitter, policy.baseMs);
}

/** Waits; aborting throws the signal's reason. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
