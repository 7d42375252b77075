import type { Outcome } from '../core/outcome.ts';
import type { PendingChange, Space } from './space.ts';

/**
 * A list may be complete and still wrong: a restored etcd, a server of another cluster behind the same address. So what lists
 * alone found missing is held when it is more than half of a repository, until a person agrees or the objects come back.
 */

/** Repositories smaller than this change by halves in ordinary life. */
const FEWEST_DELETIONS = 10;
const LARGEST_SHARE = 0.5;

/** Where held deletions are written down for a person to see, and the person's word. */
export interface HeldLedger {
  record(held: {
    readonly repository: string;
    readonly files: number;
    readonly paths: readonly string[];
  }): Promise<void>;
  /** The paths that may go; undefined without a word. */
  allowed(repository: string): ReadonlySet<string> | undefined;
  forget(repository: string): Promise<void>;
}

/**
 * Looks at the swept deletions of the window, those held before included: they go with it, or are taken out and held.
 * Answers what to report, once per new count.
 */
export async function guardSweep(space: Space, ledger: HeldLedger, now: number): Promise<Outcome | undefined> {
  space.restageHeld(now);
  const swept = sweptDeletions(space);
  if (!isTooLarge(swept.length, space)) {
    if (space.heldReported > 0) await release(space, ledger);
    return undefined;
  }
  const allowed = ledger.allowed(space.name);
  if (allowed !== undefined && swept.every(([path]) => allowed.has(path))) {
    for (const [path, change] of swept) space.pending.set(path, { ...change, cause: ALLOWED });
    return { type: 'allowed', repository: space.name, deletions: swept.length };
  }
  for (const [path, change] of swept) space.hold(path, change);
  if (space.heldReported === swept.length) return undefined;
  const files = space.repository.fileCount;
  await ledger.record({ repository: space.name, files, paths: swept.map(([path]) => path) });
  space.heldReported = swept.length;
  return { type: 'held', repository: space.name, deletions: swept.length, files };
}

const ALLOWED = 'missing from a complete list, allowed by a person';

/** Would deletions be held if the window were closed now? */
export function wouldHold(space: Space): boolean {
  return isTooLarge(sweptDeletions(space).length, space);
}

/** After the commit: the word is used up, and nothing is held any more. */
export async function release(space: Space, ledger: HeldLedger): Promise<void> {
  space.heldReported = 0;
  await ledger.forget(space.name);
}

/** May what is held be looked at again: a word came, or enough came back? */
export function isReleasable(space: Space, ledger: HeldLedger): boolean {
  if (space.held.size === 0) return false;
  return !isTooLarge(space.held.size, space) || ledger.allowed(space.name) !== undefined;
}

function isTooLarge(deletions: number, space: Space): boolean {
  return deletions > FEWEST_DELETIONS && deletions > space.repository.fileCount * LARGEST_SHARE;
}

function sweptDeletions(space: Space): readonly (readonly [string, PendingChange])[] {
  return [...space.pending].filter(([, change]) => change.swept === true && change.cause === undefined);
}
