import type { RemotePlace } from '../core/remote.ts';
import type { Advertisement } from '../git/remote/discover.ts';
import type { Receiver } from '../git/remote/fetch.ts';
import type { RefUpdate } from '../git/remote/push.ts';

/** What proposing needs of the remotes, by Git; the archive's own way to them is one. All throw KeeperError REMOTE_*, or the signal's reason. */
export interface ProposalRemote {
  /** Of a repository of ours. */
  place(repository: string): RemotePlace;
  state(place: RemotePlace, signal: AbortSignal): Promise<Advertisement>;
  /** All updates or none, never forced. */
  push(
    repository: Pick<Receiver, 'store'>,
    place: RemotePlace,
    updates: readonly RefUpdate[],
    options: { readonly advertised: Advertisement; readonly signal: AbortSignal },
  ): Promise<unknown>;
  fetch(repository: Receiver, place: RemotePlace, wants: readonly string[], signal: AbortSignal): Promise<unknown>;
}
