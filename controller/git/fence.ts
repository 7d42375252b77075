import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TEMPORARY_PREFIX } from './fenced-file.ts';
import { filesBelow } from './refs.ts';

/**
 * Takes every temporary of a ref away from whoever wrote here before: from now on no change that it had begun can
 * become visible (`FencedFile` has the proof). To be called once the data directory's lock is ours, before a ref is read.
 * The locks stay for now: they tell which commit was under way.
 */
export async function fenceOff(directory: string): Promise<void> {
  const names = readdirSync(directory).filter((name) => name.startsWith(TEMPORARY_PREFIX));
  for (const name of filesBelow(directory, 'refs')) if (basename(name).startsWith(TEMPORARY_PREFIX)) names.push(name);
  // Something may be moved into a directory while it is emptied.
  for (const name of names)
    await rm(join(directory, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 5 });
}
