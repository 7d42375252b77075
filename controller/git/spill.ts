import { existsSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf } from './errors.ts';

/**
 * A spill is a pack of blobs that no commit names yet. Its `.keep` file says so, durably before the pack has its name;
 * it is removed after the first commit that uses the pack and before the next one begins. So at the next start a pack
 * with this mark is either used by HEAD itself (the mark goes) or by nothing (the pack goes).
 */
const MARK = 'kubekeeper: blobs of a window that is not committed yet\n';

/** The mark appears at once and whole: half of one would look like somebody else's. */
export async function markSpill(packPath: string): Promise<void> {
  // The same blobs may lie in a pack of this very name that is committed: that one must stay.
  if (existsSync(`${packPath}.idx`)) return;
  const temporary = temporaryPath(dirname(packPath), 'tmp_keep_');
  await writeSynced(temporary, MARK);
  await rename(temporary, `${packPath}.keep`);
}

/** A `.keep` file of someone else's is none of ours. */
export function isSpill(packPath: string): boolean {
  try {
    return readFileSync(`${packPath}.keep`, 'utf8') === MARK;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
