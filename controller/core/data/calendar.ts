import { KeeperError } from '../../errors.ts';

/** Wall-clock time of an IANA zone, from the zone's own rules: the local zone of the process has no part in it. */

export const DAY_MS = 86_400_000;

export interface WallClock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  /** What the wall clock is ahead of UTC, in milliseconds. */
  readonly offsetMs: number;
}

export interface Calendar {
  /** Of a moment in milliseconds since 1970. */
  at(time: number): WallClock;
  /** The moment so much earlier by the wall clock; a day may have 23 or 25 hours. */
  before(time: number, span: CalendarSpan): number;
}

/** Years, months and days go by the wall clock, hours do not. */
export interface CalendarSpan {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly ms: number;
}

/** Throws KeeperError USAGE_INVALID for a zone that is not known. */
export function openCalendar(timeZone: string): Calendar {
  const at = timeZone === 'UTC' ? atUtc : atZone(timeZone);
  return { at, before: (time, span) => earlier(at, time, span) };
}

export function isTimeZone(name: string): boolean {
  return formatOf(name) !== undefined;
}

/** Undefined for a zone that is not known. */
function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const twoDigits = {
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  } as const;
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      ...twoDigits,
    });
  } catch {
    return undefined;
  }
}

function atUtc(time: number): WallClock {
  return wallClock(time, 0);
}

function atZone(timeZone: string): (time: number) => WallClock {
  const format = formatOf(timeZone);
  if (format === undefined) {
    throw new KeeperError(
      `Cannot use the time zone ${JSON.stringify(timeZone)}: write it like "Europe/Berlin" or "UTC"`,
      { kind: 'invalid-input', code: 'USAGE_INVALID' },
    );
  }
  // In which order a format shows its fields is the locale data's business, and changes with it.
  const order = format.formatToParts(0).filter(({ type }) => type !== 'literal');
  const at = (type: string) => order.findIndex((part) => part.type === type);
  const [year, month, day, hour, minute, second] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map(at);
  const offsetAt = (time: number): number => {
    const whole = Math.floor(time / 1000) * 1000;
    // Its text is three times faster than a list of its parts.
    const shown = (format.format(whole).match(/\d+/g) ?? []).map(Number);
    const field = (index: number | undefined) => shown[index ?? 0] ?? 0;
    return Date.UTC(field(year), field(month) - 1, field(day), field(hour), field(minute), field(second)) - whole;
  };
  const midnights = new Map<number, number>();
  const offsetAtMidnight = (days: number): number => {
    const known = midnights.get(days) ?? offsetAt(days * DAY_MS);
    midnights.set(days, known);
    return known;
  };
  return (time) => {
    const today = Math.floor(time / DAY_MS);
    const offset = offsetAtMidnight(today);
    // No zone changes its clock twice in a day: where both ends of one agree, all of it does.
    return wallClock(time, offset === offsetAtMidnight(today + 1) ? offset : offsetAt(time));
  };
}

function wallClock(time: number, offsetMs: number): WallClock {
  const shown = new Date(time + offsetMs);
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    offsetMs,
  };
}

function earlier(at: (time: number) => WallClock, time: number, span: CalendarSpan): number {
  const { year, month, day, offsetMs } = at(time);
  const timeOfDay = (((time + offsetMs) % DAY_MS) + DAY_MS) % DAY_MS;
  const shown = Date.UTC(year - span.years, month - 1 - span.months, day - span.days) + timeOfDay;
  return momentOf(at, shown) - span.ms;
}

/** The moment at which a wall clock shows this; where it shows it twice the later one, where never the one an hour on. */
function momentOf(at: (time: number) => WallClock, shown: number): number {
  const offsets = [-DAY_MS, DAY_MS].map((away) => at(shown + away).offsetMs);
  const candidates = offsets.map((offset) => shown - offset).filter((time) => time + at(time).offsetMs === shown);
  return candidates.length === 0 ? shown - (offsets[0] as number) : Math.max(...candidates);
}

/** Days since 1970 of the Monday that begins the ISO week. */
export function isoWeek({ year, month, day }: WallClock): number {
  const days = Date.UTC(year, month - 1, day) / DAY_MS;
  // 1970 began on a Thursday.
  return days - ((((days + 3) % 7) + 7) % 7);
}
