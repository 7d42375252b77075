import { open, rename, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const TOUCH_MS = 2000;
const STALE_MS = 15_000;
const POLL_MS = 500;

/**
 * Lets one process build while others wait. A holder touches the file; one that was killed stops doing so, and after
 * 15 s a waiter takes over. It saves work and guards nothing: two builds at once would only be slow, because each
 * renames a complete file into place.
 */
export async function acquireBuildLock(path: string, onWait: () => void): Promise<AsyncDisposable> {
  for (let waited = false; !(await create(path)); await sleep(POLL_MS)) {
    if (!waited) onWait();
    waited = true;
    await discardStale(path);
  }
  const timer = setInterval(() => void touch(path), TOUCH_MS).unref();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await rm(path, { force: true });
    },
  };
}

async function create(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function discardStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await ignoreMissing(async () => {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs < STALE_MS) return;
    await rename(path, aside);
    await rm(aside, { force: true });
  });
}

async function touch(path: string): Promise<void> {
  await ignoreMissing(() => utimes(path, new Date(), new Date()));
}

async function ignoreMissing(action: () => Promise<void>): Promise<void> {
  await action().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
