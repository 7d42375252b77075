/** Waiting before another try: full jitter under a cap, never less than what the server asked for (Retry-After). */

export interface RetryPolicy {
  /** Upper bound of the first wait. */
  readonly baseMs: number;
  /** Upper bound of all waits; a longer Retry-After is still obeyed. */
  readonly capMs: number;
}

/** How long to wait before try `attempt` + 1 (the first failure is attempt 1); `random` is in [0, 1). */
export function backoffMs(attempt: number, random: () => number, policy: RetryPolicy, retryAfterMs = 0): number {
  const bound = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30));
  const jitter = random() * bound;
  // Those who were all told the same second must not come back in the same millisecond.
  return retryAfterMs === 0 ? jitter : retryAfterMs + Math.min(jitter, policy.baseMs);
}
