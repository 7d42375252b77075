import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from './errors.ts';

/** A name in the same directory that Git's own clean-up, and ours at the next start, takes for a leftover. */
export function temporaryPath(directory: string, prefix: string): string {
  return join(directory, `${prefix}${process.pid.toString(36)}_${randomBytes(6).toString('hex')}`);
}

/** Creates a file that must not exist yet; when this resolves its content is on the disk, its name not necessarily. */
export async function writeSynced(path: string, content: Buffer | string, mode = 0o644): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes created, renamed and removed names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(directory, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

/** Directories whose names this process has seen reach the disk; one that is there may have been made a moment before a power cut. */
const durable = new Set<string>();

/** Whether this process made the directory durable; it may be gone by now. */
export function isKnownDurable(path: string): boolean {
  return durable.has(path);
}

/** Makes a directory below `top`, and those between, each durable in its parent before anything can lie in it. */
export async function makeDirectory(top: string, path: string): Promise<void> {
  if (path === top) return;
  const parent = dirname(path);
  // One that is there may have been made when its sync failed, or by a writer that was killed before it.
  if (!durable.has(parent)) await makeDirectory(top, parent);
  const isMade = await mkdir(path).then(
    () => true,
    (error: unknown) => madeOrMissing(error),
  );
  if (isMade === undefined) {
    await makeDirectory(top, parent);
    return makeDirectory(top, path);
  }
  if (!isMade && durable.has(path)) return;
  durable.delete(path);
  await syncDirectory(parent);
  durable.add(path);
}

/** False when something of this name is there, undefined when its parent is not. */
function madeOrMissing(error: unknown): false | undefined {
  const code = errnoOf(error);
  if (code === 'EEXIST') return false;
  if (code === 'ENOENT') return undefined;
  throw error;
}

/** Removes a file; one that is already gone is as good. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
