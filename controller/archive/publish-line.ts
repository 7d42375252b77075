import { maskLine } from '../core/mask-line.ts';
import { commitsBetween, isAncestor } from '../git/ancestry.ts';
import { parseTrailers } from '../git/commit-object.ts';
import { readCommit } from '../git/commit-queue.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { ObjectStore } from '../git/object-store.ts';
import type { Repository } from '../git/repository.ts';
import { AUTHOR } from './commit-space.ts';
import { sideTrackings, TRACKING } from './publish-refs.ts';

/** Questions about the line of commits of one repository and about what others put beside it. */

/** Does our history hold this commit? What is not here at all it cannot hold. */
export function isOurPast(repository: Repository, id: ObjectId): boolean {
  const { head, store } = repository;
  if (id === head) return true;
  return head !== undefined && isAncestor(store, id, head);
}

/**
 * Did a kubekeeper of this cluster make this very commit? Its committer says so, and who rebases or amends becomes the committer.
 * What leads to it was then our own or accepted by us.
 */
export function isOwn(store: ObjectStore, id: ObjectId, clusterId: string): boolean {
  const { committer, message } = readCommit(store, id);
  if (committer.email !== AUTHOR.email) return false;
  const from = parseTrailers(message).find(({ key }) => key === 'Archived-From')?.value;
  return from === `cluster ${clusterId === '' ? 'unknown' : clusterId}`;
}

/**
 * Has somebody merged commits of ours that their `main` did not have when we left it? Our first one after that is enough: it
 * came to them only by our side branch.
 */
export function isMerged(repository: Repository, theirs: ObjectId): boolean {
  const { store, head } = repository;
  const left = repository.ref(TRACKING);
  let first: ObjectId | undefined;
  for (let id = head; id !== undefined && id !== left; id = firstParent(store, id)) first = id;
  return first !== undefined && isAncestor(store, first, theirs);
}

/** Our own line is that of the first parents: what we joined comes behind. */
function firstParent(store: ObjectStore, id: ObjectId): ObjectId | undefined {
  return readCommit(store, id).parents[0];
}

export function countCommits(store: ObjectStore, from: ObjectId | undefined, to: ObjectId): number {
  let count = 0;
  for (const _commit of commitsBetween(store, from, to)) count++;
  return count;
}

/** '2 commits by Ada and 3 others, the newest "fix: a typo"': what `theirs` has and we do not. */
export function describeForeign(repository: Repository, theirs: ObjectId): string {
  const authors = new Set<string>();
  let [count, newest] = [0, { time: Number.NEGATIVE_INFINITY, subject: '' }];
  for (const { author, time, message } of commitsBetween(repository.store, repository.head, theirs)) {
    count++;
    authors.add(maskLine(author.name, 40));
    if (time.getTime() > newest.time) newest = { time: time.getTime(), subject: maskLine(message) };
  }
  const [first = 'nobody', ...others] = authors;
  const who = others.length === 0 ? first : `${first} and ${others.length} ${others.length === 1 ? 'other' : 'others'}`;
  return `${count} ${count === 1 ? 'commit' : 'commits'} by ${who}, the newest "${newest.subject}"`;
}

/** When the oldest commit was made that no remote has, by the refs that remember it; undefined when there is none. */
export function oldestUnpushed(repository: Repository): Date | undefined {
  const { head, store } = repository;
  const left = [repository.ref(TRACKING), ...sideTrackings(repository).map((name) => repository.ref(name))];
  if (head === undefined || left.includes(head)) return undefined;
  // A side branch is only ever pushed from a line that is longer than that of main.
  const from = left.findLast((id) => id !== undefined);
  let oldest: Date | undefined;
  for (const { time } of commitsBetween(store, from, head)) {
    if (oldest === undefined || time < oldest) oldest = time;
  }
  return oldest;
}
