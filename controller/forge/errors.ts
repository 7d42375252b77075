import type { RemotePlace } from '../core/remote.ts';
import { KeeperError } from '../errors.ts';
import type { Refusal } from './refusal.ts';

/** What goes wrong with a forge, as KeeperErrors. `api` is its address, `words` are the forge's own, masked. */

/** No answer, or one that breaks off: refused, not resolved, cut, silent for too long, 5xx. */
export function unreachable(api: string, reason: string, cause?: unknown): KeeperError {
  return new KeeperError(`Cannot reach the forge at ${api}: ${reason}; nothing is lost, it is tried again`, {
    kind: 'transient',
    code: 'REMOTE_UNREACHABLE',
    details: { api },
    cause,
  });
}

export function untrusted(api: string, reason: string, cause?: unknown): KeeperError {
  return new KeeperError(
    `Cannot trust the forge at ${api}: ${reason}; nothing was sent to it, give the authority of its certificate with --remote-ca`,
    { kind: 'stalled', code: 'REMOTE_UNTRUSTED', details: { api }, cause },
  );
}

export function redirected(api: string, target: string): KeeperError {
  return new KeeperError(
    `The forge at ${api} sends us to ${target}; nothing was sent there, because credentials are for one address only: correct --remote`,
    { kind: 'stalled', code: 'REMOTE_REDIRECTED', details: { api, target } },
  );
}

export function credentialsRefused(api: string, refusal: Refusal): KeeperError {
  return new KeeperError(
    `The forge at ${api} refused our credentials (${refusal.words}); nothing is lost, renew the token, password or GitHub App`,
    { kind: 'stalled', code: 'REMOTE_CREDENTIALS_REFUSED', details: { api, status: refusal.status }, cause: refusal },
  );
}

export function busy(api: string, refusal: Refusal, retryAfterMs: number): KeeperError {
  return new KeeperError(`The forge at ${api} asks us to wait (${refusal.words}); nothing is lost, it is tried again`, {
    kind: 'transient',
    code: 'REMOTE_REFUSED',
    details: { api, status: refusal.status },
    cause: refusal,
    retryAfterMs,
  });
}

/** It refused to make or to protect a repository, or something in it; `advice` says what is missing. */
export function refused(doing: string, place: RemotePlace, refusal: Refusal | undefined, advice: string): KeeperError {
  const { owner, name } = place;
  const words = refusal === undefined ? '' : ` (${refusal.words})`;
  return new KeeperError(
    `The forge at ${place.origin} did not ${doing} repository "${owner}/${name}"${words}; nothing is lost, ${advice}`,
    {
      kind: 'stalled',
      code: 'REMOTE_REFUSED',
      details: { owner, name, ...(refusal === undefined ? {} : { status: refusal.status }) },
      cause: refusal,
    },
  );
}

/** What answered speaks HTTP and is no forge: a page of a proxy, a server that says yes to everything. */
export function nonsense(api: string): KeeperError {
  return unreachable(api, 'what answers there does not answer as a forge does');
}

/** `what` names the file or key and never holds its content; neither does the problem. */
export function invalidCredentials(what: string, problem: string): KeeperError {
  return new KeeperError(`Cannot use the credentials in ${what}: ${problem}; nothing was sent, correct them`, {
    kind: 'stalled',
    code: 'REMOTE_CREDENTIALS_INVALID',
    details: { what },
  });
}

/** The App's key, ID or installation: GitHub gives no token for it. */
export function appRefused(api: string, what: string, refusal: Refusal, advice: string): KeeperError {
  return new KeeperError(`GitHub at ${api} gives no token to ${what} (${refusal.words}); nothing is lost, ${advice}`, {
    kind: 'stalled',
    code: 'REMOTE_CREDENTIALS_REFUSED',
    details: { api, status: refusal.status },
    cause: refusal,
  });
}

/** A setting that no request can go out with. */
export function unusable(problem: string): KeeperError {
  return new KeeperError(`Cannot speak to the forge: ${problem}; nothing was sent`, {
    kind: 'invalid-input',
    code: 'REMOTE_INVALID',
  });
}
