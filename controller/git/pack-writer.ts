import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import type { Guard } from './fenced-file.ts';
import { packHeader } from './pack-format.ts';

const FLUSH_AT = 1024 * 1024;

export interface WrittenPack {
  /** `pack-` and 40 digits, without suffix. */
  readonly name: string;
  /** Pack and index together. */
  readonly bytes: number;
}

export interface FinishOptions {
  readonly renderIndex: (checksum: Buffer) => Buffer;
  /** Done, durably, before the pack gets its name (a path without suffix). */
  readonly beforeNaming?: ((path: string) => Promise<void>) | undefined;
  /** Asked once the temporaries are there and before they are renamed, as `FencedFile` explains it. */
  readonly guard?: Guard | undefined;
  /** Stands as the pack's time, which orders packs by age. */
  readonly modified?: Date;
}

/**
 * Writes one self-contained pack. The order makes it durable: content of pack and index on the disk, then the pack's
 * name, then the index's (readers look for indexes only), then the directory. A crash leaves `tmp_pack_*`, `tmp_idx_*`
 * or a pack without an index, all of which the next start removes.
 *
 * The name is chance, not a checksum: two writers of the same objects, of which one has taken over from the other, never
 * share a file, so what one of them takes back is never what the other one needs. Git looks into a pack, not at its name.
 */
export class PackWriter implements AsyncDisposable {
  /** Where it is written, until it is finished. */
  readonly path: string;
  readonly #directory: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha1');
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isOpen = true;
  /** Where the next entry begins. */
  offset = 0;

  private constructor(directory: string, path: string, file: FileHandle) {
    this.#directory = directory;
    this.path = path;
    this.#file = file;
  }

  /** `directory` is `objects/pack`; exactly `count` entries must follow. */
  static async create(directory: string, count: number): Promise<PackWriter> {
    const path = temporaryPath(directory, 'tmp_pack_');
    const writer = new PackWriter(directory, path, await open(path, 'wx', 0o444));
    writer.add(packHeader(count));
    return writer;
  }

  /** The bytes must not change until they are flushed. Call `flush` when `isFull`. */
  add(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.offset += bytes.length;
  }

  get isFull(): boolean {
    return this.#pendingBytes >= FLUSH_AT;
  }

  /** Of everything that was added. */
  get checksum(): Buffer {
    return this.#hash.copy().digest();
  }

  async flush(): Promise<void> {
    let parts = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    while (parts.length > 0) {
      const { bytesWritten } = await this.#file.writev(parts);
      parts = dropBytes(parts, bytesWritten);
    }
  }

  /** Ends the pack and makes it durable under its final name. */
  async finish(options: FinishOptions): Promise<WrittenPack> {
    const checksum = this.#hash.digest();
    this.#pending.push(checksum);
    await this.flush();
    if (options.modified !== undefined) await this.#file.utimes(options.modified, options.modified);
    const name = `pack-${randomBytes(20).toString('hex')}`;
    const final = join(this.#directory, name);
    const index = options.renderIndex(checksum);
    const indexPath = temporaryPath(this.#directory, 'tmp_idx_');
    try {
      await settled([
        this.#file.sync(),
        writeSynced(indexPath, index, 0o444),
        options.beforeNaming?.(final) ?? Promise.resolve(),
      ]);
      await options.guard?.();
      await rename(this.path, `${final}.pack`);
      await rename(indexPath, `${final}.idx`);
    } catch (error) {
      await removeFile(indexPath);
      for (const suffix of ['idx', 'pack', 'keep']) await removeFile(`${final}.${suffix}`);
      throw error;
    }
    this.#isOpen = false;
    await this.#file.close();
    await syncDirectory(this.#directory);
    return { name, bytes: this.offset + checksum.length + index.length };
  }

  /** Removes what was not finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
    await removeFile(this.path);
  }
}

/** Waits for all, also when one fails, so that no write is under way when the caller cleans up. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/** What is left to write after a write that may have been cut short. */
function dropBytes(parts: Buffer[], count: number): Buffer[] {
  let left = count;
  const rest: Buffer[] = [];
  for (const part of parts) {
    if (left < part.length) rest.push(part.subarray(left));
    left = Math.max(0, left - part.length);
  }
  return rest;
}
