import type { Breath } from '../breathe.ts';
import { CommitQueue, readCommit } from '../commit-queue.ts';
import type { ObjectId } from '../object-id.ts';
import type { ObjectCache, ObjectStore } from '../object-store.ts';

export interface NewCommit {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  /** The trees of its parents, in their order. */
  readonly parentTrees: readonly ObjectId[];
}

/** A commit without its words: a first push remembers all there are. */
interface Visit {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  isKnown: boolean;
  /** Its parents were not visited yet. */
  isOpen: boolean;
}

/** So many known commits are looked at beyond what times ask for, as in Git: a stranger's clock may be wrong. */
const SLOP = 5;

/**
 * The commits that lead to `tips` and to none of `known`, parents before children. Both sides are walked together from
 * the newest commit on, and only until everything left is known and older than the oldest new commit: a push of one
 * commit reads a handful. A clock that went back far may make more commits new than there are, never fewer.
 */
export async function findNewCommits(
  store: ObjectStore,
  { tips, known }: { readonly tips: readonly ObjectId[]; readonly known: readonly ObjectId[] },
  { cache, breath }: { readonly cache: ObjectCache; readonly breath: Breath },
): Promise<NewCommit[]> {
  const walk = new Walk(store, cache);
  for (const id of known) walk.visit(id, true);
  for (const id of tips) walk.visit(id, false);
  while (walk.step()) await breath.take();
  return walk.newCommits();
}

class Walk {
  readonly #store: ObjectStore;
  readonly #cache: ObjectCache;
  readonly #visits = new Map<ObjectId, Visit>();
  readonly #queue = new CommitQueue();
  /** New ones that wait in the queue. */
  #openNew = 0;
  /** Of the new ones that were stepped over, in milliseconds. */
  #oldestNew = Number.POSITIVE_INFINITY;

  #slop = SLOP;

  constructor(store: ObjectStore, cache: ObjectCache) {
    this.#store = store;
    this.#cache = cache;
  }

  visit(id: ObjectId, isKnown: boolean): void {
    const visited = this.#visits.get(id);
    if (visited !== undefined) {
      if (isKnown) this.#makeKnown(visited);
      return;
    }
    const commit = readCommit(this.#store, id, this.#cache);
    this.#visits.set(id, { id, tree: commit.tree, parents: commit.parents, isKnown, isOpen: true });
    this.#queue.push(commit);
    if (!isKnown) this.#openNew += 1;
  }

  /** Looks at the newest waiting commit; false once no step can find a new commit, nor a known one among the new. */
  step(): boolean {
    const { newest } = this.#queue;
    if (newest === undefined) return false;
    if (this.#openNew === 0 && newest < this.#oldestNew && this.#slop-- === 0) return false;
    const visit = this.#visits.get(this.#queue.pop()?.id ?? '') as Visit;
    visit.isOpen = false;
    if (!visit.isKnown) {
      this.#openNew -= 1;
      this.#oldestNew = Math.min(this.#oldestNew, newest);
    }
    for (const parent of visit.parents) this.visit(parent, visit.isKnown);
    return true;
  }

  newCommits(): NewCommit[] {
    const sorted: NewCommit[] = [];
    const done = new Set<Visit>();
    for (const visit of [...this.#visits.values()].reverse()) {
      for (const path = visit.isKnown ? [] : [visit]; path.length > 0; ) {
        const commit = path.at(-1) as Visit;
        const parents = commit.parents.map((id) => this.#visits.get(id) as Visit);
        const first = parents.find((parent) => !parent.isKnown && !done.has(parent));
        if (first === undefined) path.pop();
        else path.push(first);
        if (first !== undefined || done.has(commit)) continue;
        done.add(commit);
        sorted.push({ id: commit.id, tree: commit.tree, parentTrees: parents.map(({ tree }) => tree) });
      }
    }
    return sorted;
  }

  /** What was taken for new before the known side came to it, and all that leads to it. */
  #makeKnown(first: Visit): void {
    const path = [first];
    for (let visit = path.pop(); visit !== undefined; visit = path.pop()) {
      if (visit.isKnown) continue;
      visit.isKnown = true;
      if (visit.isOpen) this.#openNew -= 1;
      else for (const id of visit.parents) path.push(this.#visits.get(id) as Visit);
    }
  }
}
