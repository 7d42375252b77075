import { readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, syncDirectory } from './durable-file.ts';
import { damaged, errnoOf, writtenByOther } from './errors.ts';
import { isObjectId, type ObjectId } from './object-id.ts';

export const MAIN = 'refs/heads/main';

/** Where a ref points; the loose file wins over packed-refs, as in Git. Throws REPOSITORY_DAMAGED for an empty or broken one. */
export function readRef(directory: string, name: string): ObjectId | undefined {
  const text = readText(join(directory, name));
  if (text === undefined) return readPackedRefs(directory).get(name);
  const value = text.trimEnd();
  if (isObjectId(value)) return value;
  if (value.startsWith('ref: ') && value !== `ref: ${name}`) return readRef(directory, value.slice(5).trim());
  throw damaged(directory, name, text === '' ? 'is empty' : 'holds no object id');
}

/** Every ref by full name, symbolic ones left out. */
export function listRefs(directory: string): Map<string, ObjectId> {
  const refs = readPackedRefs(directory);
  for (const file of readdirSync(join(directory, 'refs'), { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || file.name.endsWith('.lock') || file.name.startsWith('tmp_')) continue;
    const name = join(file.parentPath, file.name).slice(join(directory, '/').length);
    const id = readRef(directory, name);
    if (id !== undefined) refs.set(name, id);
  }
  return refs;
}

function readPackedRefs(directory: string): Map<string, ObjectId> {
  const refs = new Map<string, ObjectId>();
  for (const line of (readText(join(directory, 'packed-refs')) ?? '').split('\n')) {
    const [id, name] = line.split(' ');
    if (id !== undefined && name !== undefined && isObjectId(id)) refs.set(name, id);
  }
  return refs;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/** The lock that Git itself takes to move the branch: `refs/heads/main.lock`, which becomes the ref. */
export class BranchLock implements AsyncDisposable {
  readonly #directory: string;
  readonly #file: FileHandle;
  #isHeld = true;

  private constructor(directory: string, file: FileHandle) {
    this.#directory = directory;
    this.#file = file;
  }

  /** Throws DATA_DIRECTORY_IN_USE when the lock is held or the branch is not where `expected` says. */
  static async take(directory: string, expected: ObjectId | undefined): Promise<BranchLock> {
    const lock = new BranchLock(directory, await openLock(directory));
    const actual = readRef(directory, MAIN);
    if (actual === expected) return lock;
    await lock[Symbol.asyncDispose]();
    throw writtenByOther(
      directory,
      `its branch main moved to ${actual ?? 'nothing'} where ${expected ?? 'nothing'} was expected`,
    );
  }

  /** Puts the new id into the lock, durably; the branch has not moved yet. */
  async write(id: ObjectId): Promise<void> {
    await this.#file.writeFile(`${id}\n`);
    await this.#file.sync();
  }

  /** Moves the branch for every reader; `makeDurable` must follow. */
  async publish(): Promise<void> {
    await rename(lockPath(this.#directory), join(this.#directory, MAIN));
    this.#isHeld = false;
    await this.#file.close();
  }

  async makeDurable(): Promise<void> {
    await syncDirectory(join(this.#directory, 'refs', 'heads'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await this.#file.close();
    await removeFile(lockPath(this.#directory));
  }
}

export function lockPath(directory: string): string {
  return join(directory, `${MAIN}.lock`);
}

async function openLock(directory: string): Promise<FileHandle> {
  try {
    return await open(lockPath(directory), 'wx', 0o644);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    throw writtenByOther(directory, `${MAIN}.lock is held`, error);
  }
}
