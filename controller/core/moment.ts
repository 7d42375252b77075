/** A time as a person types it. */

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const AGO = /^(\d{1,9})\s*(s|m|h|d|w|sec|min|secs|mins|seconds?|minutes?|hours?|days?|weeks?)(?:\s+ago)?$/i;
const STAMP = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?(?:\s*(Z|[+-]\d\d:?\d\d))?)?$/i;

/** Shown where a time was not understood. */
export const MOMENT_FORMS = '2026-11-20 14:00, 2026-11-20T14:00:00Z, 2026-11-20, yesterday, 2h ago or 7d';

/**
 * RFC 3339, `2026-11-20 14:00` (the local time zone), `2026-11-20` (its `day`: 'start' or 'end'), `2h ago`, `7d`, `yesterday` (the same time
 * of day), `now`. Undefined for anything else, a 30th of February included.
 */
export function parseMoment(text: string, now: Date, day: 'start' | 'end'): Date | undefined {
  const words = text.trim().toLowerCase();
  if (words === 'now') return now;
  if (words === 'yesterday') return new Date(now.getTime() - 86_400_000);
  const ago = AGO.exec(words);
  if (ago !== null) {
    const unit = UNITS[(ago[2] as string).charAt(0)] as number;
    return valid(new Date(now.getTime() - Number(ago[1]) * unit * 1000));
  }
  const stamp = STAMP.exec(text.trim());
  return stamp === null ? undefined : parseStamp(stamp, day);
}

function parseStamp(stamp: RegExpExecArray, day: 'start' | 'end'): Date | undefined {
  const [, years, months, days, hours, minutes, seconds = '00', zone] = stamp;
  const date = `${years}-${months}-${days}`;
  // A date rolls over: the 30th of February would be the 2nd of March.
  if (new Date(`${date}T00:00:00Z`).toJSON()?.slice(0, 10) !== date) return undefined;
  if (hours === undefined) return valid(new Date(`${date}T${day === 'end' ? '23:59:59.999' : '00:00:00'}`));
  return valid(new Date(`${date}T${hours}:${minutes}:${seconds}${withColon(zone?.toUpperCase() ?? '')}`));
}

function withColon(zone: string): string {
  return /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
}

function valid(time: Date): Date | undefined {
  return Number.isNaN(time.getTime()) ? undefined : time;
}
