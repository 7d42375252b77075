import type { Forge } from '../core/ports.ts';
import type { Advertisement } from '../git/remote/discover.ts';
import type { GitRemotes } from '../git/remote/port.ts';
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
export interface RemotePort extends GitRemotes<Transferred> {
  /** What makes repositories that do not exist; undefined where they must. Found out when it is first needed. */
  openForge(signal: AbortSignal): Promise<Forge | undefined>;
}
