import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile } from './durable-file.ts';
import { forgetPack, type Pack } from './open-pack.ts';

/** A pack and what Git may have put beside it. The index goes first: readers look for indexes, and a pack without one is swept. */
const SUFFIXES = ['idx', 'rev', 'bitmap', 'mtimes', 'pack', 'keep'];

/** Removes packs whose objects are safe elsewhere or wanted by nobody, and Git's index over many packs, which would name them. */
export async function removePacks(packDirectory: string, packs: Iterable<Pack>): Promise<void> {
  const present = new Set(await readdir(packDirectory));
  if (present.has('multi-pack-index')) await removeFile(join(packDirectory, 'multi-pack-index'));
  for (const pack of packs) {
    forgetPack(pack);
    for (const suffix of SUFFIXES)
      if (present.has(`${pack.name}.${suffix}`)) await removeFile(`${pack.path}.${suffix}`);
  }
}
