import type { Outcome } from '../core/outcome.ts';
import type { Space } from './space.ts';

/**
 * A list may be complete and still wrong: a restored etcd, a server of another cluster behind the same address. So what lists
 * alone found missing is held when it is more than half of a repository, until a person agrees or the objects come back.
 */

/** Repositories smaller than this change by halves in ordinary life. */
const FEWEST_DELETIONS = 10;
const LARGEST_SHARE = 0.5;

/** Takes held deletions back from the window; answers what to report, once per new count. */
export function guardSweep(space: Space, allowed: boolean): Extract<Outcome, { type: 'held' }> | undefined {
  const swept = [...space.pending].filter(([, change]) => change.swept === true && change.cause === undefined);
  const files = space.repository.fileCount;
  if (allowed || swept.length <= FEWEST_DELETIONS || swept.length <= files * LARGEST_SHARE) {
    space.heldDeletions = 0;
    return undefined;
  }
  for (const [path] of swept) space.unstage(path);
  if (space.heldDeletions === swept.length) return undefined;
  space.heldDeletions = swept.length;
  return { type: 'held', repository: space.name, deletions: swept.length, files };
}
