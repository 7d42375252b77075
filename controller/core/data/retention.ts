import { compileGlobs } from '../glob.ts';
import { type Calendar, openCalendar } from './calendar.ts';
import { bucketRules } from './retention-buckets.ts';
import type { RetentionPolicy } from './retention-policy.ts';

/**
 * Which points of volume data stay and which may go, with every reason in words. The rules are restic's (docs/data.md explains them):
 * from the newest to the oldest, a bucket (hour, day, ISO week, month, year) keeps its newest point, rules are ORed.
 */

/** The volume data of one repository that was asked for at one moment. Points of other repositories are never in the same plan. */
export interface RetentionPoint {
  /** The commit that it was made for. */
  readonly id: string;
  /** When it was asked for, in milliseconds since 1970, by the controller's clock. */
  readonly time: number;
  /** pending: nobody knows yet. failed: nothing of it is there. partial: some of its claims failed. */
  readonly state: 'ready' | 'partial' | 'failed' | 'pending';
  /** Of all commits that point at it. */
  readonly tags: readonly string[];
  /** All that it was asked for, whatever came of it. */
  readonly claims: readonly string[];
  /** Its snapshots by claim, only those that are ready or still may be. A snapshot may belong to several points. */
  readonly snapshots: ReadonlyMap<string, string>;
  /** What else needs it: 'hold', 'a restore uses it'. */
  readonly pins: readonly string[];
}

export interface RetentionVerdict {
  readonly point: RetentionPoint;
  readonly keep: boolean;
  /** Why, at least one: 'daily snapshot', 'tag good/friday', 'no rule keeps it'. */
  readonly reasons: readonly string[];
}

export interface RetentionPlan {
  /** Newest first. */
  readonly verdicts: readonly RetentionVerdict[];
  /** Snapshots of points that go and of no point that stays. */
  readonly prune: readonly string[];
}

/** Tags that keep data for as long as they are there. */
const PINNING_TAGS = ['good/*', 'pre/*'];

/** Pure: the same points, policy and moment (milliseconds) give the same plan, whatever their order. */
export function planRetention(points: readonly RetentionPoint[], policy: RetentionPolicy, now: number): RetentionPlan {
  const sorted = [...points].sort((left, right) => right.time - left.time || (left.id < right.id ? 1 : -1));
  const reasons = new Map<RetentionPoint, string[]>(sorted.map((point) => [point, []]));
  const keep = (point: RetentionPoint, reason: string) => reasons.get(point)?.push(reason);

  keepPinned(sorted, policy, keep);
  keepUndecided(sorted, policy, now, keep);
  const counted = sorted.filter(({ state, time }) => state === 'ready' && time <= now);
  if (isEmpty(policy)) for (const point of counted) keep(point, 'the policy is empty');
  else keepByRules(counted, policy, now, keep);
  const isKept = (point: RetentionPoint) => reasons.get(point)?.length !== 0;
  keepLeast(sorted, counted, policy, isKept, keep);

  const verdicts = sorted.map((point) => verdictOf(point, reasons.get(point) ?? [], policy));
  return { verdicts, prune: unreferenced(verdicts) };
}

type Keep = (point: RetentionPoint, reason: string) => void;

function keepPinned(sorted: readonly RetentionPoint[], policy: RetentionPolicy, keep: Keep): void {
  const isPinning = compileGlobs([...PINNING_TAGS, ...policy.keepTags]);
  for (const point of sorted) {
    for (const tag of point.tags) if (isPinning(tag)) keep(point, `tag ${tag}`);
    for (const pin of point.pins) keep(point, pin);
    if (policy.hold) keep(point, 'the policy says hold');
  }
}

/** What did not come off satisfies no rule and displaces nothing. */
function keepUndecided(sorted: readonly RetentionPoint[], policy: RetentionPolicy, now: number, keep: Keep): void {
  let unsuccessful = 0;
  for (const point of sorted) {
    if (point.state === 'pending') keep(point, 'not ready yet');
    else if (point.state !== 'ready') {
      unsuccessful += 1;
      if (isEmpty(policy)) keep(point, 'the policy is empty');
      else if (unsuccessful <= policy.failedHistory)
        keep(point, `one of the last ${policy.failedHistory} that failed or are partial`);
    } else if (point.time > now) keep(point, 'its time is still to come');
  }
}

/** With such a policy nothing ever goes. */
export function keepsEverything(policy: RetentionPolicy): boolean {
  return policy.hold || isEmpty(policy);
}

/** Whoever kept nothing by a rule wants everything: nothing is deleted by surprise. */
function isEmpty(policy: RetentionPolicy): boolean {
  const counts = Object.values(policy.keep).every((count) => count === 0);
  const within = policy.within === undefined && Object.values(policy.withinBuckets).every((span) => span === undefined);
  return counts && within && policy.ttlMs === undefined && policy.keepTags.length === 0;
}

function keepByRules(counted: readonly RetentionPoint[], policy: RetentionPolicy, now: number, keep: Keep): void {
  const [newest] = counted;
  if (newest === undefined) return;
  const calendar: Calendar = openCalendar(policy.timeZone);
  const rules = bucketRules(policy, calendar, newest.time);
  const within = policy.within === undefined ? undefined : calendar.before(newest.time, policy.within.span);
  for (const [index, point] of counted.entries()) {
    const isOldest = index === counted.length - 1;
    const wall = calendar.at(point.time);
    if (within !== undefined && point.time > within) keep(point, `within ${policy.within?.text} of the newest`);
    if (policy.ttlMs !== undefined && point.time > now - policy.ttlMs) keep(point, 'younger than its ttl');
    for (const rule of rules) {
      const reason = rule({ time: point.time, wall, index, isOldest });
      if (reason !== undefined) keep(point, reason);
    }
  }
}

/** However the rules count, the newest stay: of the ready points, and of every claim that the newest point asked for. */
function keepLeast(
  sorted: readonly RetentionPoint[],
  counted: readonly RetentionPoint[],
  policy: RetentionPolicy,
  isKept: (point: RetentionPoint) => boolean,
  keep: Keep,
): void {
  const newest = counted.slice(0, policy.minKeep);
  for (const point of newest) if (!isKept(point)) keep(point, `one of the newest ${policy.minKeep}`);
  for (const claim of sorted[0]?.claims ?? []) {
    const holders = sorted.filter((point) => point.state !== 'pending' && point.snapshots.has(claim));
    for (const point of holders.slice(0, policy.minKeep)) {
      if (!isKept(point)) keep(point, `the newest data of claim ${claim}`);
    }
  }
}

function verdictOf(
  point: RetentionPoint,
  reasons: readonly string[],
  { failedHistory }: RetentionPolicy,
): RetentionVerdict {
  if (reasons.length > 0) return { point, keep: true, reasons };
  const why = point.state === 'ready' ? 'no rule keeps it' : `${point.state}, and not one of the last ${failedHistory}`;
  return { point, keep: false, reasons: [why] };
}

function unreferenced(verdicts: readonly RetentionVerdict[]): readonly string[] {
  const kept = new Set(verdicts.filter(({ keep }) => keep).flatMap(({ point }) => [...point.snapshots.values()]));
  const going = verdicts.filter(({ keep }) => !keep).flatMap(({ point }) => [...point.snapshots.values()]);
  return [...new Set(going)].filter((snapshot) => !kept.has(snapshot));
}
