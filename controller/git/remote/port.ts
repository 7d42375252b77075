import type { RemotePlace } from '../../core/remote.ts';
import type { ObjectId } from '../object-id.ts';
import type { Advertisement } from './discover.ts';
import type { Receiver } from './fetch.ts';
import type { RefUpdate } from './push.ts';

/** The remotes of our repositories, by Git, as flows need them. All throw KeeperError REMOTE_*, or the signal's reason. */
export interface GitRemotes<Transferred = unknown> {
  /** Where a repository of ours is pushed. */
  place(repository: string): RemotePlace;
  /** The remote's refs now; without any for an empty one. REMOTE_NOT_FOUND when there is no repository. */
  state(place: RemotePlace, signal: AbortSignal): Promise<Advertisement>;
  /** All updates or none, never forced. REMOTE_DIVERGED when a ref is not where its update says that it was. */
  push(
    repository: Pick<Receiver, 'store'>,
    place: RemotePlace,
    updates: readonly RefUpdate[],
    options: { readonly advertised: Advertisement; readonly signal: AbortSignal },
  ): Promise<Transferred>;
  /** Brings these objects and all behind them; no ref is moved. */
  fetch(
    repository: Receiver,
    place: RemotePlace,
    wants: readonly ObjectId[],
    signal: AbortSignal,
  ): Promise<Transferred>;
}
