import { type Calendar, DAY_MS, isoWeek, type WallClock } from './calendar.ts';
import type { Bucket, RetentionPolicy } from './retention-policy.ts';

/** One point on the way from the newest to the oldest. */
interface Candidate {
  readonly time: number;
  readonly wall: WallClock;
  readonly index: number;
  readonly isOldest: boolean;
}

/** Called for each point in turn; the reason to keep it, or undefined. Rules count what they keep. */
type BucketRule = (candidate: Candidate) => string | undefined;

const BUCKETS: Readonly<Record<Bucket, (wall: WallClock, time: number) => number>> = {
  // By the clock's offset too: the hour that comes twice in autumn is two hours.
  Hourly: ({ offsetMs }, time) => Math.floor((time + offsetMs) / 3_600_000) * 3_600_000 - offsetMs,
  Daily: ({ year, month, day }) => Date.UTC(year, month - 1, day) / DAY_MS,
  Weekly: isoWeek,
  Monthly: ({ year, month }) => year * 12 + month,
  Yearly: ({ year }) => year,
};

/** The rules of a policy that count by buckets. `newest` is the time of the newest point that counts. */
export function bucketRules(policy: RetentionPolicy, calendar: Calendar, newest: number): readonly BucketRule[] {
  const rules: BucketRule[] = [];
  if (policy.keep.Last !== 0) rules.push(countRule('last', policy.keep.Last, ({ index }) => index));
  for (const [name, key] of Object.entries(BUCKETS) as [Bucket, (wall: WallClock, time: number) => number][]) {
    const bucketOf = ({ wall, time }: Candidate) => key(wall, time);
    const word = name.toLowerCase();
    if (policy.keep[name] !== 0) rules.push(countRule(word, policy.keep[name], bucketOf));
    const within = policy.withinBuckets[name];
    if (within === undefined) continue;
    const from = calendar.before(newest, within.span);
    rules.push(withinRule(`${word} snapshot within ${within.text} of the newest`, from, bucketOf));
  }
  return rules;
}

/** -1 counts without end. */
function countRule(word: string, count: number, bucketOf: (candidate: Candidate) => number): BucketRule {
  let left = count;
  let last: number | undefined;
  return (candidate) => {
    if (left === 0) return undefined;
    const bucket = bucketOf(candidate);
    const isNew = bucket !== last;
    if (!isNew && !candidate.isOldest) return undefined;
    last = bucket;
    left -= left > 0 ? 1 : 0;
    return isNew ? `${word} snapshot` : `oldest, while ${word} counts are left`;
  };
}

function withinRule(reason: string, from: number, bucketOf: (candidate: Candidate) => number): BucketRule {
  let last: number | undefined;
  return (candidate) => {
    if (candidate.time <= from) return undefined;
    const bucket = bucketOf(candidate);
    if (bucket === last) return undefined;
    last = bucket;
    return reason;
  };
}
