import { cp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from '../git/repositories.ts';

/** Bytes of a bare repository's packs and their indexes, which is where all objects are; loose ones would be counted too. */
export async function objectBytes(repository: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(join(repository, 'objects'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !isObjectFile(entry.name)) continue;
    bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

/** What Git leaves of the same history: in a copy, `git gc` of what is there, and a repack that tries every delta anew. */
export async function collectedBytes(repository: string): Promise<{ readonly gc: number; readonly repack: number }> {
  const copy = `${repository}.copy`;
  await cp(repository, copy, { recursive: true });
  try {
    git(copy, ['gc', '--quiet', '--prune=now']);
    const gc = await objectBytes(copy);
    git(copy, ['repack', '-a', '-d', '-f', '-q']);
    return { gc, repack: await objectBytes(copy) };
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** Not counted: bitmaps and commit graphs, which only Git writes and which hold nothing. */
function isObjectFile(name: string): boolean {
  return /\.(pack|idx)$|^[0-9a-f]{38}$/.test(name);
}
