import type { ObjectId } from '../git/object-id.ts';
import { MAIN } from '../git/refs.ts';
import type { Repository } from '../git/repository.ts';

/** The refs that publishing reads and writes, here and at the remote. */

export { MAIN };
export const NOTES = 'refs/notes/data';
export const TAGS = 'refs/tags/';

/**
 * Where we left the remote's `main`: the newest commit of ours that we know to be in it. It never points to what somebody else
 * put there, so its commits are always an ancestor of ours, and a remote without a `main` although this ref exists has lost it.
 */
export const TRACKING = 'refs/remotes/origin/main';
/** Where we left a side branch. */
const SIDE_TRACKING = 'refs/remotes/origin/kubekeeper/';
const SIDE = 'refs/heads/kubekeeper/from-';
const SIDE_NOTES = 'refs/notes/data-from-';

/** What others put onto the remote's `main` is kept here, so that nothing of it is ever lost. */
const FOREIGN = 'refs/kubekeeper/foreign/';

/** Restores that were proposed at the remote are kept here as long as they are open. */
export const PROPOSED = 'refs/kubekeeper/proposed/';

export function proposedRef(id: ObjectId): string {
  return `${PROPOSED}${id.slice(0, 12)}`;
}

export function foreignRef(id: ObjectId): string {
  return `${FOREIGN}${id.slice(0, 12)}`;
}

export function foreignRefs(repository: Repository): readonly string[] {
  return [...repository.refs().keys()].filter((name) => name.startsWith(FOREIGN));
}

/** The branch for our commits while `main` belongs to somebody else, such as `refs/heads/kubekeeper/from-prod`; `nth` from 1. */
export function sideBranch(cluster: string, nth: number): string {
  return nth === 1 ? `${SIDE}${refWord(cluster)}` : `${SIDE}${refWord(cluster)}-${nth}`;
}

/** The same for notes that somebody else wrote over. */
export function sideNotes(cluster: string): string {
  return `${SIDE_NOTES}${refWord(cluster)}`;
}

/** Is it one of our side branches, with or without a number? */
export function isSideBranch(ref: string, cluster: string): boolean {
  const own = sideBranch(cluster, 1);
  return ref === own || (ref.startsWith(`${own}-`) && /^\d+$/.test(ref.slice(own.length + 1)));
}

/** What remembers where a branch of the remote was left. */
export function trackingOf(branch: string): string {
  return branch.replace('refs/heads/', 'refs/remotes/origin/');
}

/** The side branches that were pushed and not resolved, as their tracking refs here. */
export function sideTrackings(repository: Repository): readonly string[] {
  return [...repository.refs().keys()].filter((name) => name.startsWith(SIDE_TRACKING));
}

/** Does this ref remember where a branch of the remote was left with commits of ours? */
export function isTracking(ref: string): boolean {
  return ref === TRACKING || ref.startsWith(SIDE_TRACKING);
}

/** 'kubekeeper/from-prod', as people and forges write it. */
export function shortBranch(ref: string): string {
  return ref.replace('refs/heads/', '');
}

/** Names of clusters may hold what Git refuses in refs, such as two dots. */
function refWord(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, '-');
}
