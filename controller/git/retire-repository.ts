import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';
import type { Guard } from './fenced-file.ts';

/**
 * Moves `NAME.git` to `NAME.MARK.git` in the same directory and answers the new name without `.git`; where that is taken, a number is
 * added. One rename: a crash finds it done or not done. The repository must be open nowhere and the caller must hold the data
 * directory's lock. `syncRetired` must follow before anything takes the old name.
 */
export async function retireRepository(data: string, name: string, mark: string, guard?: Guard): Promise<string> {
  const place = join(data, `${name}.git`);
  for (let nth = 1; ; nth++) {
    const retired = nth === 1 ? `${name}.${mark}` : `${name}.${mark}-${nth}`;
    const target = join(data, `${retired}.git`);
    if (existsSync(target)) continue;
    // Asked each time: a name that was taken a moment ago may be another leader's work.
    await guard?.();
    try {
      await rename(place, target);
      return retired;
    } catch (error) {
      if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST')
        throw fileFailure(place, 'move the ended line', error);
    }
  }
}

/** The new name survives a power cut. */
export async function syncRetired(data: string): Promise<void> {
  try {
    await syncDirectory(data);
  } catch (error) {
    throw fileFailure(data, 'move the ended line', error);
  }
}
