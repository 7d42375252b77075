import { Breath } from './breathe.ts';
import { parseCommit } from './commit-object.ts';
import { errnoOf } from './errors.ts';
import type { FindingList } from './findings.ts';
import { EMPTY_TREE, type ObjectId, type ObjectType } from './object-id.ts';
import type { SoundObjects } from './sound-objects.ts';
import { TreeCursor } from './tree-cursor.ts';

/** Follows every ref to the last blob: is all there, and of the type that its place asks for? */

const VISITED = 1;

interface Need {
  readonly id: ObjectId;
  /** Undefined: a ref or a tag may lead to anything. */
  readonly type: ObjectType | undefined;
  /** Who names it, for people. */
  readonly by: string;
}

export class ReachWalk {
  readonly #objects: SoundObjects;
  readonly #findings: FindingList;
  /** Commits, trees and tags that are still to be read. */
  readonly #open: number[] = [];
  commits = 0;

  constructor(objects: SoundObjects, findings: FindingList) {
    this.#objects = objects;
    this.#findings = findings;
  }

  /** Follows these refs; each object once, however many lead to it. */
  async follow(refs: ReadonlyMap<string, ObjectId>, signal: AbortSignal | undefined): Promise<void> {
    const breath = new Breath();
    for (const [name, id] of refs) {
      await this.#need({ id, type: name.startsWith('refs/tags/') ? undefined : 'commit', by: name });
      for (let row = this.#open.pop(); row !== undefined; row = this.#open.pop()) {
        await breath.take();
        signal?.throwIfAborted();
        await this.#read(row);
      }
    }
  }

  async #need(need: Need): Promise<void> {
    if (need.id === EMPTY_TREE) return;
    let row = this.#objects.row(need.id);
    // Beside a running writer it may have come since we looked.
    if (row < 0 && (await this.#objects.scan())) row = this.#objects.row(need.id);
    if (row < 0) {
      this.#findings.damage(`object ${need.id}`, `is missing or cannot be read, ${need.by} needs it`);
    } else this.#take(row, need);
  }

  #take(row: number, need: Need): void {
    const { known } = this.#objects;
    const type = known.type(row);
    if (need.type !== undefined && type !== need.type) {
      this.#findings.damage(`object ${need.id}`, `is a ${type} where ${need.by} needs a ${need.type}`);
      return;
    }
    const mark = known.marks[row] as number;
    if ((mark & VISITED) !== 0) return;
    known.marks[row] = mark | VISITED;
    if (type !== 'blob') this.#open.push(row);
  }

  async #read(row: number): Promise<void> {
    const { known } = this.#objects;
    const id = known.id(row);
    const content = await this.#contentOf(row);
    if (known.type(row) === 'tree') await this.#readTree(id, content);
    else if (known.type(row) === 'commit') await this.#readCommit(id, content);
    else await this.#readTag(id, content);
  }

  async #contentOf(row: number): Promise<Buffer> {
    try {
      return this.#objects.read(row);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await this.#objects.scan();
      return this.#objects.read(row);
    }
  }

  /** Most entries were seen in the version before: those cost one look. */
  async #readTree(tree: ObjectId, raw: Buffer): Promise<void> {
    const { known } = this.#objects;
    try {
      for (const entry = new TreeCursor(raw); entry.next(); ) {
        if (entry.isSubmodule) continue;
        const type = entry.isDirectory ? 'tree' : 'blob';
        const row = known.rowAt(raw, entry.idAt);
        if (row >= 0 && ((known.marks[row] as number) & VISITED) !== 0 && known.type(row) === type) continue;
        await this.#need({ id: entry.id, type, by: `tree ${tree}` });
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#findings.damage(`object ${tree}`, 'is a tree that ends inside an entry');
    }
  }

  async #readCommit(id: ObjectId, content: Buffer): Promise<void> {
    this.commits += 1;
    try {
      const { tree, parents } = parseCommit(content);
      await this.#need({ id: tree, type: 'tree', by: `commit ${id}` });
      for (const parent of parents) await this.#need({ id: parent, type: 'commit', by: `commit ${id}` });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#findings.damage(`object ${id}`, 'is a commit without a tree');
    }
  }

  async #readTag(id: ObjectId, content: Buffer): Promise<void> {
    const [, target, type] =
      /^object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\n/.exec(content.toString('latin1')) ?? [];
    if (target === undefined) this.#findings.damage(`object ${id}`, 'is a tag that names nothing');
    else await this.#need({ id: target, type: type as ObjectType, by: `tag ${id}` });
  }
}
