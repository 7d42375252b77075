import type { ExecEnd, ExecSession } from '../core/data/hooks-exec.ts';
import { KeeperError } from '../errors.ts';

/** Waiting for commands, and no longer than they may take. */

/** What the API server did not do, in words. */
export interface Refused {
  readonly refused: string;
}

export function settled(session: ExecSession, signal: AbortSignal): Promise<ExecEnd> {
  return orLeave(session, signal, session.ended);
}

/** Throws the signal's reason, and then leaves the session. */
export async function orLeave<T>(session: ExecSession, signal: AbortSignal, what: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => {
    // First, for a session that is left ends at once.
    aborted.reject(signal.reason);
    session.leave();
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([what, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** 'late' after the time, what the API server refused in words; throws the reason of `signal`. */
export async function bounded<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (within: AbortSignal) => Promise<T>,
): Promise<T | 'late' | Refused> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), ms);
  try {
    return await work(signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (deadline.signal.aborted) return 'late';
    if (error instanceof KeeperError) return { refused: refusalOf(error) };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function refusalOf(error: KeeperError): string {
  if (error.code === 'RESOURCE_FORBIDDEN') return 'was not run: commands in pods are not permitted (config/hooks)';
  if (error.code === 'OBJECT_NOT_FOUND') return 'was not run: the pod is gone';
  return `was not run: ${error.message}`;
}

export function inSeconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
