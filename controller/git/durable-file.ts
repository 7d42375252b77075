import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
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

/** Removes a file; one that is already gone is as good. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
