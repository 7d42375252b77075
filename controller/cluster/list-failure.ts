import type { Change } from '../core/change.ts';
import type { ErrorCode, KeeperError } from '../errors.ts';
import type { Session, State, StateAt } from './list-watch-state.ts';
import { backoffMs } from './retry.ts';

/** What follows a failure: always another try, and a word where nothing can be read for now. */

/** Tries of a list before a failure that may pass is told; of a single run, before it is thrown. */
const PATIENCE = 3;

/** A server that starts answers these before it knows better; so one refusal of a running watch is none. */
const REFUSALS_OF_WATCH = 2;

/** Credentials expire and are renewed by others meanwhile; a list would not help, only tell. */
const REFUSALS_OF_CREDENTIALS = 5;

/** Someone or something has to change before these go away. */
const GAPS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RESOURCE_FORBIDDEN',
  'RESOURCE_NOT_SERVED',
  'RESOURCE_UNAVAILABLE',
  'CREDENTIALS_REFUSED',
  'REQUEST_REFUSED',
]);

export async function* recover(session: Session, state: StateAt<'failed'>): AsyncGenerator<Change, State> {
  const { error } = state;
  session.failures++;
  if (session.once && (error.kind !== 'transient' || session.failures > PATIENCE)) throw error;
  if (state.resourceVersion === undefined) {
    if (mustTell(session, error)) {
      session.told = error.message;
      yield skipped(session, error);
    }
    return backOff(session, error, { at: 'empty' });
  }
  // Its own count: after a restart of the server, many futile tries came before, and the list must not wait for them.
  if (error.code === 'RESOURCE_EXPIRED') return backOff(session, error, { at: 'empty' }, ++session.expirations);
  const refusals = error.code === 'CREDENTIALS_REFUSED' ? REFUSALS_OF_CREDENTIALS : REFUSALS_OF_WATCH;
  if (!GAPS.has(error.code) || session.failures < refusals) {
    return backOff(session, error, { at: 'resuming', resourceVersion: state.resourceVersion });
  }
  return listInstead(session, error);
}

/** A list then tells what is wrong; where only watching is refused, the resource is polled. */
function listInstead(session: Session, error: KeeperError): State {
  session.refusedWatches++;
  if (session.refusedWatches === 1) return backOff(session, error, { at: 'empty' });
  session.onRetry(error, session.limits.pollMs);
  return { at: 'backing-off', ms: session.limits.pollMs, next: { at: 'empty' } };
}

function mustTell(session: Session, error: KeeperError): boolean {
  if (session.once || session.told === error.message) return false;
  return GAPS.has(error.code) || session.failures >= PATIENCE;
}

function backOff(session: Session, error: KeeperError, next: State, attempt = session.failures): State {
  const policy = error.code === 'CLUSTER_UNREACHABLE' ? session.limits.retryUnreachable : session.limits.retry;
  const ms = backoffMs(attempt, session.random, policy, error.retryAfterMs);
  session.onRetry(error, ms);
  return { at: 'backing-off', ms, next };
}

function skipped(session: Session, error: KeeperError): Change {
  const { resource, namespace } = session;
  return { type: 'skipped', resource, namespace, reason: error.message, code: error.code };
}
