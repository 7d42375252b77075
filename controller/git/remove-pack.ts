import { join } from 'node:path';
import { removeFile } from './durable-file.ts';
import { forgetPack, type Pack } from './open-pack.ts';

/** Removes packs whose objects are safe elsewhere or wanted by nobody. The index goes first: readers look for indexes, and a pack without one is swept. */
export async function removePacks(packDirectory: string, packs: Iterable<Pack>): Promise<void> {
  await removeFile(join(packDirectory, 'multi-pack-index'));
  for (const pack of packs) {
    forgetPack(pack);
    for (const suffix of ['idx', 'rev', 'bitmap', 'mtimes', 'pack', 'keep']) await removeFile(`${pack.path}.${suffix}`);
  }
}
