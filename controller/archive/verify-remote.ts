import { KeeperError } from '../errors.ts';
import type { Repository } from '../git/repository.ts';
import { countCommits, describeForeign, isOurPast } from './publish-line.ts';
import { isNotFound } from './publish-look.ts';
import { MAIN, TRACKING } from './publish-refs.ts';
import type { RemotePort } from './remote-port.ts';

/** Is the remote where we left it? */
export type RemoteAnswer =
  /** It has everything; or everything but so many commits, which the archiver pushes. */
  | { readonly state: 'equal' }
  | { readonly state: 'waiting'; readonly commits: number }
  /** Somebody moved its main: commits that we do not have, or back behind what we had pushed. */
  | { readonly state: 'moved'; readonly reason: string }
  /** Its repository or its main was there once and is not any more. */
  | { readonly state: 'gone'; readonly reason: string }
  | { readonly state: 'unchecked'; readonly reason: string; readonly code: string };

const LIMIT_MS = 30_000;

/** Asks the remote of one repository, which needs to be open only to look. */
export async function lookAtRemote(
  port: RemotePort,
  repository: Repository,
  name: string,
  signal: AbortSignal,
): Promise<RemoteAnswer> {
  const place = port.place(name);
  try {
    const { refs } = await port.state(place, AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]));
    return judge(repository, refs.get(MAIN), place.url);
  } catch (error) {
    signal.throwIfAborted();
    if (isNotFound(error)) return missing(repository, `${place.url} does not exist any more`);
    if (isTimeout(error)) return unchecked(`${place.url} did not answer in ${LIMIT_MS / 1000} s`, 'REMOTE_UNREACHABLE');
    if (error instanceof KeeperError && error.code.startsWith('REMOTE_')) return unchecked(error.message, error.code);
    throw error;
  }
}

function judge(repository: Repository, theirs: string | undefined, url: string): RemoteAnswer {
  const { head, store } = repository;
  if (theirs === undefined) return missing(repository, `${url} has no main any more`);
  const left = repository.ref(TRACKING);
  if (!isOurPast(repository, theirs)) {
    const what = store.has(theirs) ? describeForeign(repository, theirs) : `commits that are not here (${theirs})`;
    return { state: 'moved', reason: `main of ${url} has ${what}` };
  }
  if (left !== undefined && left !== theirs && isBehind(repository, theirs, left)) {
    return {
      state: 'moved',
      reason: `main of ${url} was set back from ${left.slice(0, 10)} to ${theirs.slice(0, 10)}`,
    };
  }
  return head === undefined || head === theirs ? { state: 'equal' } : waiting(repository, theirs);
}

/** What was never pushed is not gone: it waits. */
function missing(repository: Repository, reason: string): RemoteAnswer {
  if (repository.ref(TRACKING) !== undefined) return { state: 'gone', reason };
  return repository.head === undefined ? { state: 'equal' } : waiting(repository, undefined);
}

function waiting(repository: Repository, from: string | undefined): RemoteAnswer {
  return { state: 'waiting', commits: countCommits(repository.store, from, repository.head as string) };
}

function isBehind({ store }: Repository, theirs: string, left: string): boolean {
  return countCommits(store, theirs, left) > 0;
}

function unchecked(reason: string, code: string): RemoteAnswer {
  return { state: 'unchecked', reason, code };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
