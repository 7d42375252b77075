import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './durable-file.ts';
import { errnoOf } from './errors.ts';

/** Makes directories one in the other that only their owner may enter, and the top where it is missing; each durable in its parent. */
export async function makePrivate(top: string, names: readonly string[]): Promise<string> {
  await mkdir(top, { recursive: true, mode: 0o700 });
  let path = top;
  for (const name of names) {
    const parent = path;
    path = join(parent, name);
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    await syncDirectory(parent);
  }
  return path;
}
