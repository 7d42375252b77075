import { readCommit } from './commit-queue.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * When a commit counts as made: now, but never before one that it follows. A clock that was set back would otherwise put
 * a history out of order, for Git as for us. The author's time stays what the clock said.
 */
export function commitTime(store: ObjectStore, parents: readonly ObjectId[], now: Date): Date {
  const times = parents.map((parent) => readCommit(store, parent).time.getTime());
  return new Date(Math.max(now.getTime(), ...times));
}
