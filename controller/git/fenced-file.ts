import { fstatSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { removeFile, syncDirectory, temporaryPath } from './durable-file.ts';
import { errnoOf, fencedOff, writtenByOther } from './errors.ts';

/** Throws when the data directory's lock is no longer ours; does nothing while it is. */
export type Guard = () => Promise<void>;

export const TEMPORARY_PREFIX = 'tmp_ref_';

/** Git holds its locks for moments, and waits for one about as long. */
const WAITS_MS = [5, 10, 20, 40, 80];

/**
 * Replaces or removes one file of a repository under Git's own lock (`NAME.lock`), so that a writer which was paused and
 * wakes up after another took over the data directory changes nothing.
 *
 * The proof: a change needs a temporary of this writer (a file that is renamed to its place, or a directory that takes
 * what is removed), and a temporary is made before the guard reads the directory's lock. The new writer takes that
 * lock, then removes every temporary (`fenceOff`), then reads. So either the guard read after the lock was taken, and
 * throws; or it read before, then the temporary was there already, and the new writer either found it and removed it,
 * whereupon the rename fails for want of its source, or came after the rename and reads what it did.
 *
 * The lock is a second name of the temporary: only one can hold it, and once it is written it tells the next start which
 * commit was under way. The temporary ends in `.lock` because Git takes no such file for a ref.
 */
export class FencedFile implements AsyncDisposable {
  readonly #repository: string;
  readonly #name: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #inode: bigint;
  readonly #guard: Guard | undefined;
  #isOpen = true;
  #isPublished = false;

  private constructor(place: { repository: string; name: string }, temporary: OpenTemporary, guard: Guard | undefined) {
    this.#repository = place.repository;
    this.#name = place.name;
    this.#temporary = temporary.path;
    this.#file = temporary.file;
    this.#inode = temporary.inode;
    this.#guard = guard;
  }

  /** `name` is relative to the repository; its directory must exist. Throws DATA_DIRECTORY_IN_USE when somebody holds the lock. */
  static async lock(repository: string, name: string, guard?: Guard): Promise<FencedFile> {
    const path = join(repository, name);
    const temporary = await openTemporary(`${temporaryPath(dirname(path), TEMPORARY_PREFIX)}.lock`);
    const file = new FencedFile({ repository, name }, temporary, guard);
    try {
      await file.#takeLock();
      return file;
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #path(): string {
    return join(this.#repository, this.#name);
  }

  /** Durable, in the temporary and the lock; the file itself has not changed yet. */
  async write(content: string): Promise<void> {
    await this.#file.writeFile(content);
    await this.#file.sync();
  }

  /** What was written replaces the file for every reader; `makeDurable` must follow. Throws LEADERSHIP_LOST, or what the guard throws. */
  async publish(): Promise<void> {
    await this.#guard?.();
    try {
      await rename(this.#temporary, this.#path);
    } catch (error) {
      // A server of files may have renamed and lost its answer: asked again it finds no source.
      const isDone = await isInode(this.#path, this.#inode);
      if (!isDone) throw errnoOf(error) === 'ENOENT' ? fencedOff(this.#repository, this.#name, error) : error;
    }
    this.#isPublished = true;
  }

  /** Removes the file for every reader; `makeDurable` must follow. One that is not there is as good. */
  async remove(): Promise<void> {
    const away = temporaryPath(this.#repository, TEMPORARY_PREFIX);
    await mkdir(away);
    try {
      await this.#guard?.();
      await rename(this.#path, join(away, 'removed'));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      if (!(await isThere(away))) throw fencedOff(this.#repository, this.#name, error);
    } finally {
      await rm(away, { recursive: true, force: true });
    }
  }

  /** The lock is let go, and the change survives a power cut. */
  async makeDurable(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await syncDirectory(dirname(this.#path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      // Whoever took over has removed our lock, and there may be another by now; while ours is open its number is its own.
      // The lock goes first: as long as it is there it has two names, by which whoever takes over knows it for ours.
      if (await isInode(this.#lockPath, this.#inode)) await removeFile(this.#lockPath);
      if (!this.#isPublished) await removeFile(this.#temporary);
    } finally {
      await this.#file.close();
    }
  }

  get #lockPath(): string {
    return `${this.#path}.lock`;
  }

  async #takeLock(): Promise<void> {
    for (const milliseconds of WAITS_MS) {
      if (await this.#tryLink()) return;
      await wait(milliseconds);
    }
    if (await this.#tryLink()) return;
    await this.#guard?.();
    if ((await this.#removeForeignLock()) && (await this.#tryLink())) return;
    throw writtenByOther(this.#repository, `${this.#name}.lock is held`);
  }

  async #tryLink(): Promise<boolean> {
    try {
      await link(this.#temporary, this.#lockPath);
      return true;
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'EEXIST') return false;
      throw code === 'ENOENT' ? fencedOff(this.#repository, this.#name, error) : error;
    }
  }

  /**
   * A lock with two names was made here, not by Git. We make one at a time, so it belongs to a writer from which we took
   * over, that woke up after we had cleaned up and then ended. Only who leads, as the guard has just said, may say so.
   */
  async #removeForeignLock(): Promise<boolean> {
    if (this.#guard === undefined) return false;
    const held = await stat(this.#lockPath).catch((error: unknown) => missing(error));
    if (held === undefined || held.nlink < 2) return held === undefined;
    await removeFile(this.#lockPath);
    return true;
  }
}

interface OpenTemporary {
  readonly path: string;
  readonly file: FileHandle;
  readonly inode: bigint;
}

async function openTemporary(path: string): Promise<OpenTemporary> {
  const file = await open(path, 'wx', 0o644);
  try {
    return { path, file, inode: fstatSync(file.fd, { bigint: true }).ino };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function isInode(path: string, inode: bigint): Promise<boolean> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => missing(error));
  return found?.ino === inode;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch((error: unknown) => missing(error))) !== undefined;
}

function missing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
}
