import { type Commit, CommitQueue, commitReader, readCommit } from './commit-queue.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { peelTag } from './tag-object.ts';

/** Colours of the walks below: what a commit was reached from. */
const WANTED = 1;
const OTHER = 2;

/** A stranger's clock may have gone back: a few commits more are looked at than times alone would ask for, as in Git. */
const SLOP = 5;

/**
 * Whether one commit is another or one of those that led to it. What the repository does not hold is nobody's ancestor.
 * Only the commits that are newer than where the two histories part are read, whatever the clocks said.
 */
export function isAncestor(store: ObjectStore, ancestor: ObjectId, of: ObjectId): boolean {
  if (!store.has(ancestor)) return false;
  const paint = new Paint(commitReader(store));
  paint.add(ancestor, OTHER);
  paint.add(of, WANTED);
  while (!paint.has(ancestor, WANTED)) {
    // What leads on from a commit of both colours are ancestors of `ancestor`: it is not among them.
    if (paint.waiting === 0) return false;
    paint.next();
  }
  return true;
}

/**
 * The commits that lead to `to` and not to `from`, newest first. All of them when `from` is undefined, or nothing that
 * the repository holds. `read` is the walk's own unless the caller reads commits too.
 */
export function* commitsBetween(
  store: ObjectStore,
  from: ObjectId | undefined,
  to: ObjectId,
  read = commitReader(store),
): Generator<Commit> {
  const paint = new Paint(read);
  paint.add(to, WANTED);
  if (from === undefined || !store.has(from)) {
    for (let commit = paint.next(); commit !== undefined; commit = paint.next()) yield commit;
    return;
  }
  paint.add(from, OTHER);
  const found: ObjectId[] = [];
  let oldest = Number.POSITIVE_INFINITY;
  let slop = SLOP;
  while (paint.waiting > 0 || (paint.newest ?? Number.NEGATIVE_INFINITY) >= oldest || slop-- > 0) {
    const commit = paint.next();
    if (commit === undefined) break;
    if (paint.has(commit.id, OTHER)) continue;
    found.push(commit.id);
    oldest = Math.min(oldest, commit.time.getTime());
    slop = SLOP;
  }
  for (const id of found) if (!paint.has(id, OTHER)) yield read(id);
}

/** Every commit and tag that these refs' targets lead to, in no order. Throws REPOSITORY_DAMAGED when one is missing. */
export function* reachable(store: ObjectStore, tips: Iterable<ObjectId>): Generator<ObjectId> {
  const seen = new Set<ObjectId>();
  const open = [...tips];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const { type, content } = store.read(id);
    if (type === 'commit') open.push(...readCommit(store, id).parents);
    if (type === 'tag') open.push(peelTag(content));
    if (type === 'commit' || type === 'tag') yield id;
  }
}

/** Walks from several commits at once, newest first, and hands each one's colours on to its parents. */
class Paint {
  /** How many commits wait that have the colour WANTED only. */
  waiting = 0;
  readonly #read: (id: ObjectId) => Commit;
  readonly #queue = new CommitQueue();
  readonly #queued = new Set<ObjectId>();
  readonly #colours = new Map<ObjectId, number>();

  constructor(read: (id: ObjectId) => Commit) {
    this.#read = read;
  }

  get newest(): number | undefined {
    return this.#queue.newest;
  }

  has(id: ObjectId, colour: number): boolean {
    return ((this.#colours.get(id) ?? 0) & colour) !== 0;
  }

  add(id: ObjectId, colours: number): void {
    const before = this.#colours.get(id) ?? 0;
    const after = before | colours;
    if (before === after) return;
    this.#colours.set(id, after);
    if (this.#queued.has(id)) {
      if (before === WANTED) this.waiting -= 1;
      return;
    }
    this.#queued.add(id);
    this.#queue.push(this.#read(id));
    if (after === WANTED) this.waiting += 1;
  }

  next(): Commit | undefined {
    const commit = this.#queue.pop();
    if (commit === undefined) return undefined;
    this.#queued.delete(commit.id);
    const colours = this.#colours.get(commit.id) ?? 0;
    if (colours === WANTED) this.waiting -= 1;
    for (const parent of commit.parents) this.add(parent, colours);
    return commit;
  }
}
