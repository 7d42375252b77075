import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Unknown } from './lines-part.ts';
import type { Timer } from './publish-timer.ts';
import type { RemotePort } from './remote-port.ts';

/** What every step of publishing shares. */
export interface PublishParts {
  readonly port: RemotePort;
  readonly clock: Clock;
  readonly timer: Timer;
  /** In [0, 1). */
  readonly random: () => number;
  /** As `readClusterId` gives it: whose commits are ours. */
  readonly clusterId: string;
  /** What stands for {cluster} in the remote's URL, and names our side branches. */
  readonly cluster: string;
  readonly report: (outcome: Outcome) => void;
  /** The fence: throws when this process may write no more. Asked right before each push. */
  readonly guard?: (() => Promise<void>) | undefined;
  /** Does the remote's `main` belong to another namespace of this name? It is looked at apart, and nothing of it stays here. */
  readonly isOther?: ((unknown: Unknown, signal: AbortSignal) => Promise<boolean>) | undefined;
  /** Gives a repository another place when the remote's `main` turns out to belong to another namespace; true when it did. */
  readonly part?: ((name: string, theirs: ObjectId, signal: AbortSignal) => Promise<boolean>) | undefined;
}

/** A server that does not say what it has within this time does not answer. */
export const LOOK_LIMIT_MS = 60_000;
/** The network edge gives up when nothing moves; this ends what moves for ever. */
export const TRANSFER_LIMIT_MS = 30 * 60_000;
