import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { KeeperError } from '../errors.ts';

/**
 * One writer per data directory. The lock file names its holder: host, process, and when that process and the machine started,
 * so that a crashed holder's lock is known to be stale even where process numbers repeat (in a container every process is 1).
 * A holder on another host cannot be asked; its lock counts as long as it is touched.
 */

export const LOCK_FILE = 'lock';
const TOUCH_EVERY_MS = 10_000;
const STALE_AFTER_MS = 60_000;
const TAKING_AT_MOST_MS = 10_000;
const ATTEMPTS = 20;

export interface DirectoryLock extends AsyncDisposable {
  readonly directory: string;
}

interface Holder {
  readonly host: string;
  readonly process: number;
  /** From /proc, '' elsewhere. */
  readonly started: string;
  readonly boot: string;
  readonly nonce: string;
}

/** Takes the lock or throws KeeperError DATA_DIRECTORY_IN_USE; what the holder wrote is untouched. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = `${directory}/${LOCK_FILE}`;
  const own: Holder = {
    host: hostname(),
    process: process.pid,
    started: await startOf(process.pid),
    boot: await bootId(),
    nonce: randomBytes(8).toString('hex'),
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await tryLink(path, own)) return holdLock(directory, path);
    const text = await readHolder(path);
    if (text === undefined) continue;
    if (!(await isStale(path, text, own))) throw inUse(directory, path, text);
    await removeStale(path, text);
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
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

function holdLock(directory: string, path: string): DirectoryLock {
  const timer = setInterval(() => {
    const now = new Date();
    // A touch that fails shows at the next write of the archive itself, with the disk's own reason.
    utimes(path, now, now).catch(() => clearInterval(timer));
  }, TOUCH_EVERY_MS);
  timer.unref();
  return {
    directory,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await unlink(path).catch((error: unknown) => {
        if (errorCode(error) !== 'ENOENT') throw error;
      });
    },
  };
}

async function isStale(path: string, text: string, own: Holder): Promise<boolean> {
  const holder = parseHolder(text);
  if (holder === undefined) return isOld(path);
  if (holder.host !== own.host) return isOld(path);
  if (holder.boot !== own.boot) return true;
  const started = await startOf(holder.process);
  return started === '' ? !isAlive(holder.process) : started !== holder.started;
}

/**
 * Several may judge the same lock stale, and the slower would remove what the faster took. So one at a time removes, and looks
 * again first. A taker that died in here leaves its mark for as long as a removal could ever take.
 */
async function removeStale(path: string, judged: string): Promise<void> {
  const mark = `${path}.taking`;
  try {
    await mkdir(mark);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const age = await stat(mark).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > TAKING_AT_MOST_MS) await rm(mark, { recursive: true, force: true });
    return;
  }
  try {
    if ((await readHolder(path)) === judged) await unlink(path);
  } finally {
    await rm(mark, { recursive: true, force: true });
  }
}

async function readHolder(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    return typeof holder.process === 'number' && typeof holder.host === 'string' ? (holder as Holder) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function isOld(path: string): Promise<boolean> {
  const { mtimeMs } = await stat(path);
  return Date.now() - mtimeMs > STALE_AFTER_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** When a process started, in the kernel's ticks since boot (proc(5), field 22); '' when there is none or no /proc. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The command's name may hold blanks and brackets; the fields after its last bracket are plain.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

function inUse(directory: string, path: string, text: string): KeeperError {
  const holder = parseHolder(text);
  const who = holder === undefined ? 'another process' : `process ${holder.process} on ${holder.host}`;
  return new KeeperError(
    `Cannot write "${directory}": ${who} is archiving into it; nothing was changed, stop that one or choose another --data-dir (its lock is "${path}")`,
    { kind: 'invalid-input', code: 'DATA_DIRECTORY_IN_USE' },
  );
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
