/** Without a figure GitHub asks for a minute at least. */
const UNTOLD_MS = 60_000;
/** GitHub's limits are per hour; a longer wish is taken for a mistake. */
const LONGEST_MS = 3_600_000;

export type AnswerHeaders = Readonly<Record<string, string | number | undefined>>;

/**
 * How long a refusal asks us to wait, in milliseconds; undefined when waiting does not help. GitHub answers 403 or 429 to both of its
 * limits (docs.github.com, "Rate limits for the REST API"); others follow RFC 9110, 10.2.3. `now` is milliseconds since the epoch.
 */
export function retryAfterMs(status: number, headers: AnswerHeaders, says: string, now: number): number | undefined {
  if (status !== 403 && status !== 429 && status !== 503) return undefined;
  const wish = wishOf(headers, serverTime(headers) ?? now);
  if (wish !== undefined) return Math.min(Math.max(wish, 1000), LONGEST_MS);
  return status === 429 || (status === 403 && /rate limit|abuse detection/i.test(says)) ? UNTOLD_MS : undefined;
}

function wishOf(headers: AnswerHeaders, now: number): number | undefined {
  const after = headers['retry-after'];
  if (after !== undefined) {
    const seconds = Number(after);
    const ms = Number.isNaN(seconds) ? Date.parse(String(after)) - now : seconds * 1000;
    if (!Number.isNaN(ms)) return ms;
  }
  const reset = Number(headers['x-ratelimit-reset']);
  return String(headers['x-ratelimit-remaining']) === '0' && !Number.isNaN(reset) ? reset * 1000 - now : undefined;
}

/** The server's own clock, where it tells: ours may be wrong. */
export function serverTime(headers: AnswerHeaders): number | undefined {
  const time = Date.parse(String(headers['date']));
  return Number.isNaN(time) ? undefined : time;
}
