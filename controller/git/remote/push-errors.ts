import { KeeperError } from '../../errors.ts';
import type { ObjectId } from '../object-id.ts';
import { wordsOf } from './errors.ts';
import type { Remote } from './transport.ts';

/** The ref of the remote cannot be moved forward to ours. Nothing was sent for it, or the remote kept what it had. */
export function diverged(remote: Remote, ref: string, problem: string, theirs?: ObjectId): KeeperError {
  return new KeeperError(
    `Cannot push ${ref} to ${remote.place.url}: ${problem}; nothing was forced, both sides keep all they have, look at it there`,
    {
      kind: 'stalled',
      code: 'REMOTE_DIVERGED',
      details: { url: remote.place.url, ref, ...(theirs === undefined ? {} : { theirs }) },
    },
  );
}

/** The remote took nothing, and says why in `words`, which are masked here. */
export function pushRefused(
  remote: Remote,
  refusal: { readonly ref?: string; readonly words: string; readonly isTransient: boolean },
): KeeperError {
  const { ref, isTransient } = refusal;
  const what = ref === undefined ? '' : ` of ${ref}`;
  const advice = isTransient ? 'it is tried again' : 'look at the rules and hooks of the repository there';
  return new KeeperError(
    `The remote ${remote.place.url} refused the push${what}: ${wordsOf(remote, refusal.words)}; commits are kept here, ${advice}`,
    {
      kind: isTransient ? 'transient' : 'stalled',
      code: 'REMOTE_REFUSED',
      details: { url: remote.place.url, ...(ref === undefined ? {} : { ref }) },
    },
  );
}
