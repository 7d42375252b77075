import type { LeaseRecord } from './ports.ts';

/**
 * Who leads, by a Lease, as client-go's leader election does it: what to do next is a function of what was seen and of the
 * own monotonic clock, and the world answers with a lesson. Nobody's timestamps count. A holder is left alone until its
 * record has stood still for its whole duration before our own eyes; a leader trusts in each renewal for a shorter time, counted
 * from before it was sent. So a new leader begins only after the old one has stopped believing, whatever was late, lost or asleep.
 */

/** In milliseconds. */
export interface ElectionTimings {
  /** How long a record must stand still before others may take the lead. */
  readonly leaseMs: number;
  /** How long a leader trusts in its last renewal: less than `leaseMs`, by more than clocks can differ in speed. */
  readonly renewMs: number;
  /** Between two renewals and, at most, between two looks of those who wait. */
  readonly retryMs: number;
}

/** client-go's own. */
export const TIMINGS: ElectionTimings = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };

/** One replica's knowledge. All times are its own monotonic milliseconds. */
export interface Candidate {
  readonly identity: string;
  readonly timings: ElectionTimings;
  /** The Lease as it was seen or written last; undefined when there is none. */
  readonly record: LeaseRecord | undefined;
  /** From when on the record keeps nobody away any more. */
  readonly freeAt: number;
  /** The highest count of transitions ever seen; -1 before. */
  readonly highest: number;
  /** What is known may be out of date: look before anything is written. */
  readonly mustLook: boolean;
  /** When to ask the server again, unless the lead can be taken earlier. */
  readonly askAt: number;
  /** While it leads: its epoch, and until when it may believe so. */
  readonly term: { readonly epoch: number; readonly until: number } | undefined;
}

export type Move =
  | { readonly do: 'read' }
  | {
      readonly do: 'write';
      readonly next: Omit<LeaseRecord, 'resourceVersion'>;
      readonly over: LeaseRecord | undefined;
    }
  | { readonly do: 'wait'; readonly ms: number }
  /** Leadership was lost; a candidate that goes on stands by. */
  | { readonly do: 'yield' };

/** `at`: when the answer was there; `sentAt`: before the request was sent. */
export type Lesson =
  | { readonly type: 'read'; readonly record: LeaseRecord | undefined; readonly at: number }
  | { readonly type: 'written'; readonly record: LeaseRecord; readonly sentAt: number; readonly at: number }
  /** Somebody else wrote first. */
  | { readonly type: 'refused'; readonly at: number }
  /** No answer or an unclear one: what was written may be there. */
  | { readonly type: 'failed'; readonly at: number };

export function newCandidate(identity: string, timings: ElectionTimings = TIMINGS): Candidate {
  const nothing = { record: undefined, freeAt: Number.NEGATIVE_INFINITY, highest: -1, term: undefined };
  return { identity, timings, ...nothing, mustLook: true, askAt: Number.NEGATIVE_INFINITY };
}

/** May this replica act as the leader at this very moment? */
export function isLeading(candidate: Candidate, now: number): boolean {
  return candidate.term !== undefined && now < candidate.term.until;
}

/** What to do at `now`. */
export function decide(candidate: Candidate, now: number): Move {
  const { term, askAt, freeAt, mustLook } = candidate;
  if (term !== undefined && now >= term.until) return { do: 'yield' };
  if (mustLook || term !== undefined) {
    if (now < askAt) return { do: 'wait', ms: Math.min(askAt, term?.until ?? askAt) - now };
    return mustLook ? { do: 'read' } : claim(candidate);
  }
  if (now >= freeAt) return claim(candidate);
  return now >= askAt ? { do: 'read' } : { do: 'wait', ms: Math.min(askAt, freeAt) - now };
}

/** A new term counts on from all that was seen, also where the Lease was removed in between; renewing keeps the count. */
function claim({ identity, timings, record, highest, term }: Candidate): Move {
  const isOwn = record?.holder === identity;
  const transitions = term?.epoch ?? (isOwn ? record.transitions : highest + 1);
  const durationSeconds = Math.ceil(timings.leaseMs / 1000);
  return { do: 'write', next: { holder: identity, durationSeconds, transitions }, over: record };
}

/** What is known after an answer; `random` in [0, 1) keeps those who wait from asking in step. */
export function learn(candidate: Candidate, lesson: Lesson, random: number): Candidate {
  const { retryMs, renewMs } = candidate.timings;
  switch (lesson.type) {
    case 'written': {
      const { record, sentAt, at } = lesson;
      const term = { epoch: record.transitions, until: sentAt + renewMs };
      const highest = Math.max(candidate.highest, record.transitions);
      return { ...candidate, record, highest, term, mustLook: false, askAt: at + retryMs };
    }
    case 'read':
      return learnRecord(candidate, lesson.record, lesson.at, lesson.at + retryMs * (1 - random / 2));
    case 'refused':
      return { ...candidate, mustLook: true, askAt: lesson.at };
    case 'failed':
      return { ...candidate, mustLook: true, askAt: lesson.at + retryMs * (1 - random / 2) };
    default:
      return lesson satisfies never;
  }
}

function learnRecord(candidate: Candidate, record: LeaseRecord | undefined, at: number, askAt: number): Candidate {
  const seen = {
    ...candidate,
    record,
    mustLook: false,
    highest: Math.max(candidate.highest, record?.transitions ?? -1),
  };
  if (candidate.term !== undefined) {
    // Ours, or removed by a person: renewed at once. With another holder, or released by one, the term is over.
    if (record === undefined || record.holder === candidate.identity) return { ...seen, askAt: at };
    return resign({ ...seen, freeAt: freeFrom(candidate, record, at), askAt });
  }
  return { ...seen, freeAt: freeFrom(candidate, record, at), askAt };
}

/** A Lease that went under the eyes of one who waits says nothing about its holder, who has the rest of its time. */
function freeFrom(
  { identity, record: before, freeAt }: Candidate,
  record: LeaseRecord | undefined,
  at: number,
): number {
  if (record === undefined || record.resourceVersion === before?.resourceVersion) return freeAt;
  if (record.holder === '' || record.holder === identity) return at;
  return at + record.durationSeconds * 1000;
}

/** No leader any more, from now on; the Lease itself is not touched. */
export function resign(candidate: Candidate): Candidate {
  return { ...candidate, term: undefined };
}
