import { Breath } from './breathe.ts';
import { parseCommit } from './commit-object.ts';
import { EMPTY_TREE, type ObjectId } from './object-id.ts';
import type { SoundObjects } from './sound-objects.ts';
import { TreeCursor } from './tree-cursor.ts';

/** Bits of `known.marks`, besides those of other walks. */
const CLOSED = 2;
const OPEN = 4;

/**
 * Which objects are whole: they can be read, and so can everything that they lead to. What is known elsewhere (`isElsewhere`:
 * a repository that is whole itself) needs not be looked at.
 */
export class WholeHistory {
  readonly #objects: SoundObjects;
  readonly #isElsewhere: (id: ObjectId) => boolean;
  readonly #breath = new Breath();

  constructor(objects: SoundObjects, isElsewhere: (id: ObjectId) => boolean) {
    this.#objects = objects;
    this.#isElsewhere = isElsewhere;
  }

  /** Is a commit whole, with all its ancestors? Asked for a descendant first, each commit is read once. */
  async has(commit: ObjectId): Promise<boolean> {
    const open = [commit];
    for (let id = open.at(-1); id !== undefined; id = open.at(-1)) {
      await this.#breath.take();
      const parents = this.#verdictOf(id) === undefined ? this.#parentsOf(id) : [];
      const unknown = parents?.filter((parent) => this.#verdictOf(parent) === undefined) ?? [];
      if (parents !== undefined && unknown.length > 0) {
        open.push(...unknown);
        continue;
      }
      if (this.#verdictOf(id) === undefined) {
        const isWhole = parents?.every((parent) => this.#verdictOf(parent) === true) === true && this.#hasTree(id);
        this.#mark(this.#objects.row(id), isWhole);
      }
      open.pop();
    }
    return this.#verdictOf(commit) === true;
  }

  /** Is a tag whole, and what it names? */
  async hasTag(id: ObjectId): Promise<boolean> {
    const row = this.#objects.row(id);
    if (row < 0) return this.#isElsewhere(id);
    const type = this.#objects.known.type(row);
    if (type === 'commit') return await this.has(id);
    if (type === 'tree') return this.#isWholeTree(id);
    if (type === 'blob') return true;
    const target = targetOf(this.#objects.read(row));
    return target !== undefined && (await this.hasTag(target));
  }

  /** Undefined where nobody has looked yet. */
  #verdictOf(id: ObjectId): boolean | undefined {
    const row = this.#objects.row(id);
    if (row < 0) return this.#isElsewhere(id);
    const mark = this.#objects.known.marks[row] as number;
    return (mark & (CLOSED | OPEN)) === 0 ? undefined : (mark & CLOSED) !== 0;
  }

  #mark(row: number, isWhole: boolean): void {
    const { marks } = this.#objects.known;
    marks[row] = (marks[row] as number) | (isWhole ? CLOSED : OPEN);
  }

  /** Undefined when it is no commit that can be read. */
  #parentsOf(id: ObjectId): readonly ObjectId[] | undefined {
    const row = this.#objects.row(id);
    if (row < 0 || this.#objects.known.type(row) !== 'commit') return undefined;
    return commitOf(this.#objects.read(row))?.parents;
  }

  #hasTree(commit: ObjectId): boolean {
    const tree = commitOf(this.#objects.read(this.#objects.row(commit)))?.tree;
    return tree !== undefined && this.#isWholeTree(tree);
  }

  #isWholeTree(id: ObjectId): boolean {
    if (id === EMPTY_TREE) return true;
    const { known } = this.#objects;
    const row = this.#objects.row(id);
    const verdict = this.#verdictOf(id);
    if (verdict !== undefined) return verdict;
    const isWhole = known.type(row) === 'tree' && this.#hasEntries(this.#objects.read(row));
    this.#mark(row, isWhole);
    return isWhole;
  }

  #hasEntries(raw: Buffer): boolean {
    const { known } = this.#objects;
    try {
      for (const entry = new TreeCursor(raw); entry.next(); ) {
        if (entry.isSubmodule) continue;
        const row = known.rowAt(raw, entry.idAt);
        if (row >= 0 && !entry.isDirectory && known.type(row) === 'blob') continue;
        if (entry.isDirectory ? !this.#isWholeTree(entry.id) : !this.#isElsewhere(entry.id)) return false;
      }
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }
}

/** What an annotated tag names; undefined for bytes that are no tag. */
export function targetOf(tag: Buffer): ObjectId | undefined {
  return /^object ([0-9a-f]{40})\n/.exec(tag.toString('latin1', 0, 48))?.[1];
}

/** Undefined for bytes that are no commit. */
export function commitOf(content: Buffer): ReturnType<typeof parseCommit> | undefined {
  try {
    const commit = parseCommit(content);
    return [commit.tree, ...commit.parents].every((id) => /^[0-9a-f]{40}$/.test(id)) ? commit : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
