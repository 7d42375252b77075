import { readCommit } from '../commit-queue.ts';
import type { ObjectId } from '../object-id.ts';
import type { ObjectStore } from '../object-store.ts';

/** Enough for every repository of ours; what is left out costs bytes and nothing else. */
const MOST_TIPS = 256;

/** How far back histories may have parted so that it is found; beyond that everything is fetched. */
const FARTHEST = 4096;

/**
 * What we tell a remote that we have: the target of each ref, and of each branch's first parents those 1, 2, 4, 8, ...
 * steps back, so that a common commit is found in one request, at most twice as far back as where the histories part.
 */
export function chooseHaves(store: ObjectStore, refs: ReadonlyMap<string, ObjectId>): ReadonlySet<ObjectId> {
  const haves = new Set<ObjectId>();
  for (const id of refs.values()) if (haves.size < MOST_TIPS) haves.add(id);
  const branches = [...refs].filter(([name]) => name.startsWith('refs/heads/') || name.startsWith('refs/remotes/'));
  for (const [, id] of branches.slice(0, MOST_TIPS)) addAncestors(store, id, haves);
  return haves;
}

function addAncestors(store: ObjectStore, tip: ObjectId, haves: Set<ObjectId>): void {
  let id: ObjectId | undefined = tip;
  for (let distance = 0, next = 1; distance <= FARTHEST && id !== undefined; distance++) {
    if (distance === next) {
      // Another branch was here already, and went on from here.
      if (haves.has(id)) return;
      haves.add(id);
      next *= 2;
    }
    id = store.read(id).type === 'commit' ? readCommit(store, id).parents[0] : undefined;
  }
}
