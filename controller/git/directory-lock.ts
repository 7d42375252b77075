import { randomBytes } from 'node:crypto';
import { link, unlink, utimes, writeFile } from 'node:fs/promises';
import { KeeperError } from '../errors.ts';
import { errnoOf, fileFailure } from './errors.ts';
import { describeSelf, type Holder, type LockTerm, mayTakeOver, nameHolder } from './lock-holder.ts';
import { readLock, removeLock, TAKING_AT_MOST_MS } from './remove-lock.ts';

export type { LockTerm } from './lock-holder.ts';

/**
 * One writer per data directory. The lock file names its holder, so that a crashed one's lock is known to be stale, and with an
 * election its epoch, so that a new leader need not wait for the old one. Who lost its lock while it was paused finds out by
 * `verify`, which is asked before every write that could be seen.
 */

export const LOCK_FILE = 'lock';
const TOUCH_EVERY_MS = 10_000;
/** Long enough to outlast a taker that died. */
const TRY_FOR_MS = 2 * TAKING_AT_MOST_MS;

export interface DirectoryLock extends AsyncDisposable {
  readonly directory: string;
  /** Reads the lock again; throws KeeperError LEADERSHIP_LOST when it is not ours any more. */
  verify(): Promise<void>;
}

/**
 * Takes the lock. Throws KeeperError DATA_DIRECTORY_IN_USE when another one holds it that may still write, and has changed
 * nothing then. A leader's `term` takes it at once from any earlier term of the same Lease.
 */
export async function lockDirectory(directory: string, term?: LockTerm): Promise<DirectoryLock> {
  const path = `${directory}/${LOCK_FILE}`;
  const own = await describeSelf(randomBytes(8).toString('hex'), term);
  try {
    for (const started = performance.now(); performance.now() - started < TRY_FOR_MS; ) {
      if (await tryLink(path, own)) return new HeldLock(directory, path, own);
      const text = await readLock(path);
      if (text === undefined) continue;
      if (!(await mayTakeOver(path, text, own))) throw inUse(directory, path, text);
      await removeLock(path, text, own.nonce);
    }
  } catch (error) {
    throw fileFailure(directory, 'take the lock', error);
  }
  throw inUse(directory, path, '');
}

/** Linking a finished file is atomic: nobody reads half a lock, and only one link succeeds. */
async function tryLink(path: string, own: Holder): Promise<boolean> {
  const draft = `${path}.${own.nonce}`;
  await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

class HeldLock implements DirectoryLock {
  readonly directory: string;
  readonly #path: string;
  readonly #text: string;
  readonly #nonce: string;
  readonly #timer: NodeJS.Timeout;

  constructor(directory: string, path: string, own: Holder) {
    this.directory = directory;
    this.#path = path;
    this.#text = JSON.stringify(own);
    this.#nonce = own.nonce;
    // A touch that fails shows at the next write of the archive itself, with the disk's own reason.
    this.#timer = setInterval(() => this.#touch().catch(() => clearInterval(this.#timer)), TOUCH_EVERY_MS);
    this.#timer.unref();
  }

  async verify(): Promise<void> {
    const text = await readLock(this.#path).catch((error: unknown) => {
      throw fileFailure(this.directory, 'read the lock', error);
    });
    if (text !== this.#text) throw lockLost(this.directory, text);
  }

  async #touch(): Promise<void> {
    await this.verify();
    const now = new Date();
    await utimes(this.#path, now, now);
  }

  /** A lock that somebody took over is theirs, and stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    while ((await readLock(this.#path)) === this.#text) await removeLock(this.#path, this.#text, this.#nonce);
  }
}

function inUse(directory: string, path: string, text: string): KeeperError {
  return new KeeperError(
    `Cannot write "${directory}": ${nameHolder(text)} is archiving into it; nothing was changed, stop that one or choose another --data-dir (its lock is "${path}")`,
    { kind: 'invalid-input', code: 'DATA_DIRECTORY_IN_USE' },
  );
}

function lockLost(directory: string, text: string | undefined): KeeperError {
  const what = text === undefined ? 'its lock was removed' : `${nameHolder(text)} took it over`;
  return new KeeperError(
    `This process may not write "${directory}" any more: ${what}; nothing was written after that, start it again to go on from what is there`,
    { kind: 'transient', code: 'LEADERSHIP_LOST', details: { directory } },
  );
}
