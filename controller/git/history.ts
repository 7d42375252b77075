import { Breath } from './breathe.ts';
import { ByteCache } from './byte-cache.ts';
import { type Identity, type ParsedCommit, parseCommit, parseTrailers, type Trailer } from './commit-object.ts';
import { damaged } from './errors.ts';
import { findTreeEntry } from './find-tree-entry.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectCache, ObjectStore, StoredObject } from './object-store.ts';

/** What a history is read from: a `Repository` is one. */
export interface HistorySource {
  readonly store: ObjectStore;
  readonly head: ObjectId | undefined;
}

export interface LogEntry {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Identity;
  readonly committer: Identity;
  /** When it was committed, to the second. */
  readonly time: Date;
  readonly message: string;
  readonly trailers: readonly Trailer[];
}

export interface LogOptions {
  /** Only commits that changed this file or directory; a merge counts when it differs from all its parents. */
  readonly path?: string;
  readonly limit?: number;
  /** A commit id; HEAD when left out. */
  readonly from?: ObjectId;
}

interface Visit extends ParsedCommit {
  readonly id: ObjectId;
}

/** Neighbouring versions of large directories are built from one another: worth room while a history is read. */
const CACHE_BYTES = 32 * 1024 * 1024;

/** The commits that lead to HEAD (or `from`), newest first, as `git log` shows them. Gives way to other work as it goes. */
export async function* log(source: HistorySource, options: LogOptions = {}): AsyncGenerator<LogEntry> {
  const walk = new Walk(source.store, options.path);
  const breath = new Breath();
  const start = options.from ?? source.head;
  if (start !== undefined) walk.visit(start);
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  for (let commit = walk.next(); commit !== undefined && left > 0; commit = walk.next()) {
    const parents = walk.isTold(commit);
    if (parents.isTold) {
      left -= 1;
      yield toLogEntry(commit);
    }
    if (left > 0) for (const parent of parents.follow) walk.visit(parent);
    await breath.take();
  }
}

function toLogEntry(commit: Visit): LogEntry {
  const { id, tree, parents, author, committer, time, message } = commit;
  return { id, tree, parents, author, committer, time, message, trailers: parseTrailers(message) };
}

class Walk {
  readonly #store: ObjectStore;
  readonly #path: readonly string[];
  readonly #cache: ObjectCache = new ByteCache<StoredObject>(CACHE_BYTES);
  readonly #seen = new Set<ObjectId>();
  /** By time, the newest last; of the same second the one that came first, as in Git. */
  readonly #open: Visit[] = [];
  /** What the path was in a tree: each is asked for twice, as a parent and on its own. */
  readonly #known = new Map<ObjectId, ObjectId | undefined>();

  constructor(store: ObjectStore, path: string | undefined) {
    this.#store = store;
    this.#path = path === undefined || path === '' ? [] : path.replace(/\/$/, '').split('/');
  }

  visit(id: ObjectId): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const commit = { id, ...this.#parse(id) };
    let place = this.#open.length;
    while (place > 0 && (this.#open[place - 1] as Visit).time >= commit.time) place -= 1;
    this.#open.splice(place, 0, commit);
  }

  next(): Visit | undefined {
    return this.#open.pop();
  }

  /** Whether a commit changed the path, and which parents to follow: only the first that has the same, as Git simplifies. */
  isTold(commit: Visit): { isTold: boolean; follow: readonly ObjectId[] } {
    if (this.#path.length === 0) return { isTold: true, follow: commit.parents };
    const own = this.#pathId(commit.tree);
    if (commit.parents.length === 0) return { isTold: own !== undefined, follow: [] };
    const same = commit.parents.find((parent) => this.#pathId(this.#parse(parent).tree) === own);
    return same === undefined ? { isTold: true, follow: commit.parents } : { isTold: false, follow: [same] };
  }

  #parse(id: ObjectId): ParsedCommit {
    try {
      return parseCommit(this.#store.readAs('commit', id, this.#cache));
    } catch (error) {
      throw error instanceof RangeError
        ? damaged(this.#store.directory, `commit ${id}`, 'cannot be read', error)
        : error;
    }
  }

  #pathId(tree: ObjectId): ObjectId | undefined {
    let id: ObjectId | undefined = tree;
    for (const [depth, name] of this.#path.entries()) {
      const key: ObjectId = `${depth}${id}`;
      if (!this.#known.has(key)) {
        if (this.#known.size > 256) this.#known.clear();
        const { type, content } = this.#store.read(id, this.#cache);
        this.#known.set(key, type === 'tree' ? findTreeEntry(content, name) : undefined);
      }
      id = this.#known.get(key);
      if (id === undefined) return undefined;
    }
    return id;
  }
}
