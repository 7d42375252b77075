import { isAncestor } from '../git/ancestry.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Repository } from '../git/repository.ts';
import type { Stall } from './publish-lane.ts';
import { describeForeign, isOurPast } from './publish-line.ts';
import { foreignRef, foreignRefs, shortBranch, TRACKING } from './publish-refs.ts';

/** What somebody else put onto the remote's `main`: kept here for ever, described, and never overwritten there. */

/** Names commits that were fetched, so that nothing sweeps them; an older name that leads to part of the same goes. */
export async function keepForeign(repository: Repository, theirs: ObjectId): Promise<void> {
  const name = foreignRef(theirs);
  if (repository.ref(name) === undefined) await repository.updateRef(name, { from: undefined, to: theirs });
  for (const other of foreignRefs(repository)) {
    const id = repository.ref(other);
    if (other === name || id === undefined || !isAncestor(repository.store, id, theirs)) continue;
    await repository.updateRef(other, { from: id, to: undefined });
  }
}

/** After a join our own history holds them. */
export async function forgetJoined(repository: Repository): Promise<void> {
  for (const name of foreignRefs(repository)) {
    const id = repository.ref(name);
    if (id !== undefined && isOurPast(repository, id)) await repository.updateRef(name, { from: id, to: undefined });
  }
}

export interface Diverged {
  readonly url: string;
  readonly theirs: ObjectId;
  /** The branch that has ours, undefined while there is nothing new. */
  readonly side: string | undefined;
  /** A kubekeeper of the same cluster made it, and it is not we. */
  readonly isOtherKeeper: boolean;
}

/** The condition while the remote's `main` is not ours. */
export function describeDiverged(name: string, repository: Repository, diverged: Diverged): Stall {
  const { url, theirs, side, isOtherKeeper } = diverged;
  const ours = side === undefined ? 'the next of ours goes to a branch of its own' : `ours are at ${shortBranch(side)}`;
  const message = [
    `Cannot push "${name}" to main of ${url}: it has ${describeForeign(repository, theirs)}`,
    `nothing was overwritten, theirs are kept here as ${foreignRef(theirs)}, ${ours}`,
    isOtherKeeper
      ? 'another kubekeeper archives this cluster to it, stop one of them and start the other again: it joins both'
      : whatToDo(repository.ref(TRACKING), side),
  ].join('; ');
  return { reason: 'RemoteDiverged', message };
}

function whatToDo(left: ObjectId | undefined, side: string | undefined): string {
  if (left === undefined) return 'delete main there if it may go, it is filled anew then';
  const back = `set main back to ${left}`;
  return side === undefined
    ? `${back}, or merge that branch into main once it is there`
    : `merge that branch into main there (no squash), or ${back}`;
}
