import { Arena } from './arena.ts';
import { type PackedBytes, packEntry } from './deflate.ts';
import type { ObjectId } from './object-id.ts';
import { ENTRY } from './pack-format.ts';

/** What is to become of a path. */
export type StagedChange = StagedBlob | StagedDeletion;

interface StagedBlob {
  readonly id: ObjectId;
  /** The pack entry, ready to be written; undefined once it lies in a spill. */
  readonly entry: PackedBytes | undefined;
  /** Name of the spill's pack. */
  readonly spill: string | undefined;
}

interface StagedDeletion {
  readonly id: undefined;
}

/** The open window: the last change of each path, blobs already deflated. */
export class Staging {
  #changes = new Map<string, StagedChange>();
  readonly #arena = new Arena();
  #bytes = 0;

  get size(): number {
    return this.#changes.size;
  }

  /** Of the deflated blobs held in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get(path: string): StagedChange | undefined {
    return this.#changes.get(path);
  }

  paths(): Iterable<string> {
    return this.#changes.keys();
  }

  changes(): Iterable<[string, StagedChange]> {
    return this.#changes;
  }

  putBlob(path: string, id: ObjectId, content: Buffer): void {
    const { parts, length, crc } = packEntry(ENTRY.blob, content);
    this.put(path, { id, entry: { parts: [this.#arena.add(parts, length)], length, crc }, spill: undefined });
  }

  put(path: string, change: StagedChange): void {
    this.delete(path);
    this.#changes.set(path, change);
    this.#bytes += entryBytes(change);
  }

  delete(path: string): void {
    const change = this.#changes.get(path);
    if (change === undefined) return;
    this.#bytes -= entryBytes(change);
    this.#changes.delete(path);
  }

  /** Hands over the changes of these paths (all when undefined) and keeps the rest. */
  take(paths?: ReadonlySet<string>): Map<string, StagedChange> {
    const taken = new Map<string, StagedChange>();
    for (const [path, change] of this.#changes) {
      if (paths === undefined || paths.has(path)) taken.set(path, change);
    }
    if (taken.size === this.#changes.size) {
      this.#changes = new Map();
      this.#bytes = 0;
      this.#arena.reset();
    } else for (const path of taken.keys()) this.delete(path);
    return taken;
  }

  /** Takes back what could not be committed, unless the path was staged again since. */
  restore(taken: ReadonlyMap<string, StagedChange>): void {
    for (const [path, change] of taken) if (!this.#changes.has(path)) this.put(path, change);
  }

  /** The bytes of these blobs lie on the disk now. */
  markSpilled(spilled: ReadonlyMap<string, StagedChange>, pack: string): void {
    for (const [path, change] of spilled) {
      if (change.id === undefined || change.entry === undefined || this.#changes.get(path) !== change) continue;
      this.put(path, { id: change.id, entry: undefined, spill: pack });
    }
    this.#arena.reset();
  }
}

function entryBytes(change: StagedChange): number {
  return change.id === undefined ? 0 : (change.entry?.length ?? 0);
}
