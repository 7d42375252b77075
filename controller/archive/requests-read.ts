import { KeeperError } from '../errors.ts';
import type { Unread } from './compare-live.ts';
import type { RequestsParts } from './requests.ts';
import type { Space } from './space.ts';
import { wouldHold } from './sweep-guard.ts';

/**
 * What lived when a command asked for a point is in the window, or the point is not made: a watch tells of a change some milliseconds after
 * it, and who restores over that change relies on the point to have it.
 */

const LIMITS = {
  deadlineMs: 30_000,
  againMs: 500,
  /** So long a watch may take to tell of objects that a list no longer has, before so many of them are doubted. */
  tellingMs: 2000,
};
const LOOK_MS = 50;

type Parts = Pick<RequestsParts, 'reread' | 'isGap' | 'clock' | 'signal'>;

/** Throws CLUSTER_BUSY when it cannot all be read in time; what is known to be a gap is one here as well. */
export async function readForPoint(parts: Parts, space: Space, limits = LIMITS): Promise<void> {
  const deadline = AbortSignal.timeout(limits.deadlineMs);
  let missing: Unread | undefined;
  for (;;) {
    const unread = await parts.reread(space, deadline);
    if (parts.signal.aborted || space.users.isClosed) return;
    if (unread !== undefined) missing = unread.find(({ resource }) => !parts.isGap(resource));
    if (unread !== undefined && missing === undefined) break;
    if (deadline.aborted) throw unreadable(space, missing, limits.deadlineMs);
    await sleep(limits.againMs);
  }
  await untilTold(parts, space, limits.tellingMs);
}

async function untilTold({ clock, signal }: Parts, space: Space, ms: number): Promise<void> {
  const end = clock.monotonic() + ms;
  while (wouldHold(space) && clock.monotonic() < end && !signal.aborted) await sleep(LOOK_MS);
}

function unreadable({ name }: Space, missing: Unread | undefined, ms: number): KeeperError {
  const what = missing === undefined ? 'the API server did not answer' : `${missing.resource}: ${missing.reason}`;
  return new KeeperError(
    `The running archiver could not read all of what lives in "${name}" within ${ms / 1000} s (${what}); nothing was changed, try again when it can be read`,
    { kind: 'transient', code: 'CLUSTER_BUSY' },
  );
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
