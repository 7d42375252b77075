import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { errnoOf } from './errors.ts';

/** Who holds a data directory, as its lock file names it, and whether that one can still write. */

/** The term of a leader: what its lock says where an election decides who may write. */
export interface LockTerm {
  /** Which Lease of which cluster: epochs of different ones say nothing of one another. */
  readonly lease: string;
  /** Grows from leader to leader. */
  readonly epoch: number;
  readonly identity: string;
}

export interface Holder {
  readonly host: string;
  readonly process: number;
  /** From /proc, '' elsewhere. */
  readonly started: string;
  readonly boot: string;
  readonly nonce: string;
  readonly term?: LockTerm;
}

/** Much longer than the time between two touches. */
const STALE_AFTER_MS = 60_000;

export async function describeSelf(nonce: string, term: LockTerm | undefined): Promise<Holder> {
  return {
    host: hostname(),
    process: process.pid,
    started: await startOf(process.pid),
    boot: await bootId(),
    nonce,
    ...(term === undefined ? {} : { term }),
  };
}

/** Undefined when it is not ours to read. */
function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    return typeof holder.process === 'number' && typeof holder.host === 'string' ? (holder as Holder) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * May `own` take over the lock at `path` that reads `text`? At once where the same Lease has given us a later term: then the other's
 * is over, alive or not. Else only from a holder that is gone: a process of this machine can be looked up (in a container every
 * process may be 1, so its start counts too), one on another host is gone when it has long not touched its lock.
 */
export async function mayTakeOver(path: string, text: string, own: Holder): Promise<boolean> {
  const holder = parseHolder(text);
  if (holder === undefined) return isOld(path);
  if (isLater(own.term, holder.term)) return true;
  if (holder.host !== own.host) return isOld(path);
  if (holder.boot !== own.boot) return true;
  const started = await startOf(holder.process);
  return started === '' ? !isAlive(holder.process) : started !== holder.started;
}

function isLater(own: LockTerm | undefined, other: LockTerm | undefined): boolean {
  return own !== undefined && other !== undefined && own.lease === other.lease && own.epoch > other.epoch;
}

/** 'process 7 on node-1' for messages. */
export function nameHolder(text: string): string {
  const holder = parseHolder(text);
  return holder === undefined ? 'another process' : `process ${holder.process} on ${holder.host}`;
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE_AFTER_MS;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
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
