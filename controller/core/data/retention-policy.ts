import type { CalendarSpan } from './calendar.ts';

/** A retention as it is counted: restic's rules with the floors of ours. */

export type Bucket = 'Hourly' | 'Daily' | 'Weekly' | 'Monthly' | 'Yearly';

export interface RetentionPolicy {
  /** How many of each; 0 is no such rule, -1 all. */
  readonly keep: Readonly<Record<Bucket | 'Last', number>>;
  /** Measured from the newest point, not from now. */
  readonly within: WrittenSpan | undefined;
  readonly withinBuckets: Readonly<Record<Bucket, WrittenSpan | undefined>>;
  /** Measured from now. */
  readonly ttlMs: number | undefined;
  /** Globs of tags besides good/* and pre/*, which always keep. */
  readonly keepTags: readonly string[];
  /** IANA: where hours, days, weeks, months and years begin. */
  readonly timeZone: string;
  /** At least 1. */
  readonly minKeep: number;
  /** How many of the newest failed and partial points stay. */
  readonly failedHistory: number;
  /** Nothing goes. */
  readonly hold: boolean;
}

export interface WrittenSpan {
  readonly span: CalendarSpan;
  /** As it was written: '1y6m'. */
  readonly text: string;
}

export const KEEP_ALL: RetentionPolicy = {
  keep: { Last: 0, Hourly: 0, Daily: 0, Weekly: 0, Monthly: 0, Yearly: 0 },
  within: undefined,
  withinBuckets: { Hourly: undefined, Daily: undefined, Weekly: undefined, Monthly: undefined, Yearly: undefined },
  ttlMs: undefined,
  keepTags: [],
  timeZone: 'UTC',
  minKeep: 1,
  failedHistory: 3,
  hold: false,
};
