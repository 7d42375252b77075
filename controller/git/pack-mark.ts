import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf } from './errors.ts';

/**
 * Why a pack is there although no ref leads to it yet. Its `.keep` file says so, durably before the pack has its name,
 * and goes when a ref does; Git and our consolidation leave such a pack alone. So the next start knows which packs a
 * killed writer made in vain.
 */
const MARKS = {
  /** Blobs of a window; used by the next commit or by nothing. */
  spill: 'kubekeeper: blobs of a window that is not committed yet\n',
  /** Came from a remote; a ref is about to be moved to what it holds. */
  received: 'kubekeeper: received from a remote, and no ref leads to it yet\n',
} as const;

export type PackMark = keyof typeof MARKS;

/** The mark appears at once and whole: half of one would look like somebody else's. */
export async function markPack(packPath: string, mark: PackMark): Promise<void> {
  const temporary = temporaryPath(dirname(packPath), 'tmp_keep_');
  await writeSynced(temporary, MARKS[mark]);
  await rename(temporary, `${packPath}.keep`);
  await syncDirectory(dirname(packPath));
}

/** Undefined without a `.keep` file, and for one of someone else's. */
export function markOf(packPath: string): PackMark | undefined {
  let text: string;
  try {
    text = readFileSync(`${packPath}.keep`, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return text === MARKS.spill ? 'spill' : text === MARKS.received ? 'received' : undefined;
}
