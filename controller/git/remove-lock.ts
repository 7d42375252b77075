import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { errnoOf } from './errors.ts';

/** Removing a lock takes moments; a mark that is older was left by one who died or sleeps. */
export const TAKING_AT_MOST_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/**
 * Removes the lock if it still reads `judged`; whoever asks looks again afterwards, since another one may have been at it. Several
 * may judge the same lock, and the slower would remove what the faster took: so one at a time removes, whoever holds the mark. One
 * that died in here leaves its mark until it is too old. One that was only paused cannot remove anything later: it moves the lock
 * into its own place below the mark, which went with the mark.
 */
export async function removeLock(path: string, judged: string, nonce: string): Promise<void> {
  const mark = `${path}.taking`;
  const place = `${mark}/${nonce}`;
  try {
    await mkdir(mark);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return await waitForMark(mark);
  }
  try {
    await mkdir(place);
    if ((await readLock(path)) === judged) await rename(path, `${place}/removed`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  } finally {
    await removeMark(mark, place);
  }
}

/** Ours alone: once it was taken for left over, a mark of the same name is another's. */
async function removeMark(mark: string, place: string): Promise<void> {
  const isOurs = await stat(place).then(
    () => true,
    () => false,
  );
  if (isOurs) await rm(mark, { recursive: true, force: true });
}

async function waitForMark(mark: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  const age = await stat(mark).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > TAKING_AT_MOST_MS) await rm(mark, { recursive: true, force: true });
}

/** Undefined when there is none. */
export async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
