import type { Forge } from '../core/ports.ts';
import type { RemotePlace } from '../core/remote.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Advertisement } from '../git/remote/discover.ts';
import type { Receiver } from '../git/remote/fetch.ts';
import type { RefUpdate } from '../git/remote/push.ts';

export type { Advertisement, RefUpdate };

/** What a transfer took over the network. */
export interface Transferred {
  readonly objects: number;
  readonly bytes: number;
}

/**
 * What publishing needs of the remotes; the real one is remote.ts, and a scripted one in tests obeys the same words. All throw
 * KeeperError REMOTE_*, or the signal's reason; none tries again by itself, but for a credential that was renewed.
 */
export interface RemotePort {
  /** Where a repository of ours is pushed. */
  place(repository: string): RemotePlace;
  /** The remote's refs now; without any for an empty one. REMOTE_NOT_FOUND when there is no repository. */
  state(place: RemotePlace, signal: AbortSignal): Promise<Advertisement>;
  /** All updates or none. REMOTE_DIVERGED when a ref is not where its update says that it was. */
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
  /** What makes repositories that do not exist; undefined where they must. Found out when it is first needed. */
  openForge(signal: AbortSignal): Promise<Forge | undefined>;
}
