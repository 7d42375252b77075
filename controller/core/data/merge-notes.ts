import { renderJson } from '../json.ts';
import type { Json } from '../object.ts';
import type { ClaimRecord, DataNote } from './record.ts';

/**
 * Two notes on the same commit made into one, whoever wrote which first: what is further along wins, what only one knows is kept. Merging
 * again, in another order or with itself changes nothing.
 */
export function mergeNotes(left: DataNote, right: DataNote): DataNote {
  const { claims: ours = {}, skipped: ourSkipped = {}, quiesced: ourQuiesced, ...ourRest } = left;
  const { claims: theirs = {}, skipped: theirSkipped = {}, quiesced: theirQuiesced, ...theirRest } = right;
  const told = [ourQuiesced, theirQuiesced].filter((one) => one !== undefined);
  return {
    ...(larger(ourRest, theirRest) as typeof ourRest),
    // Not quiesced is the safer thing to believe.
    ...(told.length === 0 ? {} : { quiesced: told.every((one) => one) }),
    claims: union(ours, theirs, mergeClaims),
    skipped: union(ourSkipped, theirSkipped, (one, other) => larger(one, other) as typeof one),
  };
}

function union<T>(
  left: Readonly<Record<string, T>>,
  right: Readonly<Record<string, T>>,
  merge: (one: T, other: T) => T,
): Record<string, T> {
  const merged = new Map(Object.entries(left));
  for (const [name, theirs] of Object.entries(right)) {
    const ours = merged.get(name);
    merged.set(name, ours === undefined ? theirs : merge(ours, theirs));
  }
  return Object.fromEntries(merged);
}

/** A snapshot only moves on: what was pruned does not come back, and what was ready did not fail. */
const PROGRESS: readonly ClaimRecord['state'][] = ['pending', 'failed', 'ready', 'pruned'];

function mergeClaims(left: ClaimRecord, right: ClaimRecord): ClaimRecord {
  // One commit asks for one snapshot of a claim; should two be told, all of one is kept and nothing is mixed.
  if (left.volumeSnapshot !== right.volumeSnapshot) return left.volumeSnapshot > right.volumeSnapshot ? left : right;
  const { state: ourState, why: ourWhy, ...ours } = left;
  const { state: theirState, why: theirWhy, ...theirs } = right;
  const merged = larger(ours, theirs) as typeof ours;
  const ahead = PROGRESS.indexOf(ourState) - PROGRESS.indexOf(theirState);
  const whys = ahead > 0 ? [ourWhy] : ahead < 0 ? [theirWhy] : [ourWhy, theirWhy];
  const why = whys
    .filter((one) => one !== undefined)
    .sort()
    .at(-1);
  return { ...merged, state: ahead >= 0 ? ourState : theirState, ...(why === undefined ? {} : { why }) };
}

/** Field by field; where two differ, the one whose JSON sorts last: a later time, and any order as long as it is always the same. */
function larger(left: object, right: object): object {
  const merged = new Map(Object.entries(left));
  for (const [key, theirs] of Object.entries(right)) {
    const ours = merged.get(key);
    if (ours === undefined || (theirs !== undefined && renderJson(theirs as Json) > renderJson(ours as Json))) {
      merged.set(key, theirs);
    }
  }
  return Object.fromEntries(merged);
}
