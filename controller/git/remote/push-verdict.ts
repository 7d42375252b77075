import type { KeeperError } from '../../errors.ts';
import { damagedAnswer } from './errors.ts';
import { diverged, pushRefused } from './push-errors.ts';
import type { PushReport, RefUpdate } from './report-status.ts';
import type { Remote } from './transport.ts';

/** The other refs of an atomic push are refused for its sake. */
const FOR_ANOTHER = /^atomic (?:push failure|transaction failed)/;

/** The ref was moved since it was advertised, or was never where we thought. */
const MOVED =
  /non-fast-forward|fetch first|stale info|but expected|reference already exists|unable to resolve reference/;

/** Somebody moves it, or left the lock of a ref behind; nothing of ours is at fault. */
const LOCKED =
  /cannot lock|unable to (?:create|lock)|failed to (?:update|lock)|transaction failed|internal (?:server )?error/i;

/** What no further try can change, though unpacking is where it shows. */
const UNFIT = /exceeds maximum|fsck error|too large/i;

/** Throws what is to be done about it unless every ref was moved: REMOTE_DIVERGED, REMOTE_REFUSED, REMOTE_UNREACHABLE. */
export function requireTaken(remote: Remote, updates: readonly RefUpdate[], report: PushReport): void {
  if (report.unpack !== 'ok') throw unpackFailed(remote, report);
  const refused = updates.filter(({ ref }) => report.refs.get(ref) !== undefined);
  const first = refused.find(({ ref }) => !FOR_ANOTHER.test(report.refs.get(ref) ?? '')) ?? refused[0];
  if (first !== undefined) throw refRefused(remote, first.ref, report);
  const untold = updates.find(({ ref }) => !report.refs.has(ref));
  if (untold !== undefined) throw damagedAnswer(remote, new RangeError(`its report says nothing of ${untold.ref}`));
}

function unpackFailed(remote: Remote, { unpack, said }: PushReport): KeeperError {
  return pushRefused(remote, { words: `${said} (unpack: ${unpack})`, isTransient: !UNFIT.test(`${unpack} ${said}`) });
}

function refRefused(remote: Remote, ref: string, { refs, said }: PushReport): KeeperError {
  const reason = refs.get(ref) ?? '';
  const isRace = FOR_ANOTHER.test(reason) || LOCKED.test(reason);
  if (MOVED.test(reason) || (isRace && MOVED.test(said))) return diverged(remote, ref, 'it was moved there meanwhile');
  const words = said.trim() === '' ? reason : `${reason}: ${said}`;
  return pushRefused(remote, { ref, words, isTransient: isRace });
}
