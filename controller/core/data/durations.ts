import { DURATION, SPAN } from '../../api/time.ts';
import type { CalendarSpan } from './calendar.ts';

/** Lengths of time as people write them in Kubernetes ('720h', '1h30m') and for restic ('1y6m14d12h'), where m means months. */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of what fits DURATION; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (DURATION_UNITS[unit] as number);
  }
  return Math.round(total);
}

/** What fits SPAN; undefined for anything else. */
export function parseSpan(text: string): CalendarSpan | undefined {
  if (!SPAN.test(text)) return undefined;
  const amounts = { y: 0, m: 0, w: 0, d: 0, h: 0 };
  for (const [, amount, unit] of text.matchAll(/(\d+)([ymwdh])/g)) amounts[unit as 'y'] += Number(amount);
  return { years: amounts.y, months: amounts.m, days: amounts.d + 7 * amounts.w, ms: amounts.h * 3_600_000 };
}

/** For people: '2 s', '14 min', '3 h', '5 days'; rounded to the nearest, never 0 for what took time. */
export function renderDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}
