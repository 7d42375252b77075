import { readFile } from 'node:fs/promises';
import { LOCK_FILE } from './directory-lock.ts';
import { errnoOf } from './errors.ts';
import { describeSelf, mayTakeOver } from './lock-holder.ts';

/** Is somebody archiving into this data directory now? Only looks. */
export async function isBeingWritten(directory: string): Promise<boolean> {
  const path = `${directory}/${LOCK_FILE}`;
  try {
    const text = await readFile(path, 'utf8');
    return !(await mayTakeOver(path, text, await describeSelf('', undefined)));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
