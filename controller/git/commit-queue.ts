import { type ParsedCommit, parseCommit } from './commit-object.ts';
import { damaged } from './errors.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectCache, ObjectStore } from './object-store.ts';

export interface Commit extends ParsedCommit {
  readonly id: ObjectId;
}

/** Throws REPOSITORY_DAMAGED when it is missing or no commit. */
export function readCommit(store: ObjectStore, id: ObjectId, cache?: ObjectCache): Commit {
  try {
    return { id, ...parseCommit(store.readAs('commit', id, cache)) };
  } catch (error) {
    throw error instanceof RangeError ? damaged(store.directory, `commit ${id}`, 'cannot be read', error) : error;
  }
}

/** What a walk keeps of the commits that it met: it asks for each as a parent and again on its own. */
const KEPT_COMMITS = 256;

/** `readCommit` for one walk: the latest commits are inflated and parsed once. */
export function commitReader(store: ObjectStore): (id: ObjectId) => Commit {
  const kept = new Map<ObjectId, Commit>();
  return (id) => {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const commit = readCommit(store, id);
    const [oldest] = kept.size < KEPT_COMMITS ? [] : kept.keys();
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(id, commit);
    return commit;
  };
}

interface Place {
  readonly commit: Commit;
  readonly arrival: number;
}

/** Commits to look at, the newest first; of the same second the one that came first, as in Git. A heap. */
export class CommitQueue {
  readonly #heap: Place[] = [];
  #arrivals = 0;

  /** The time of the next one, in milliseconds; undefined when there is none. */
  get newest(): number | undefined {
    return this.#heap[0]?.commit.time.getTime();
  }

  push(commit: Commit): void {
    const heap = this.#heap;
    const place = { commit, arrival: this.#arrivals++ };
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(place, heap[above] as Place)) break;
      heap[at] = heap[above] as Place;
      at = above;
    }
    heap[at] = place;
  }

  pop(): Commit | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.commit;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Place, heap[below] as Place)) below += 1;
      if (!isBefore(heap[below] as Place, last)) break;
      heap[at] = heap[below] as Place;
      at = below;
    }
    heap[at] = last;
    return first.commit;
  }
}

function isBefore(a: Place, b: Place): boolean {
  const difference = a.commit.time.getTime() - b.commit.time.getTime();
  return difference === 0 ? a.arrival < b.arrival : difference > 0;
}
