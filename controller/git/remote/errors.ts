import { KeeperError, type KeeperErrorOptions } from '../../errors.ts';
import { describeFailure, isDistrust } from './failures.ts';
import { isTrouble, wordsOf } from './server-words.ts';
import type { Remote } from './transport.ts';

/** The one place where the answers of a remote, and failures of the way to it, become KeeperErrors. */

export { wordsOf } from './server-words.ts';

/** What holds whatever the remote does. */
export const SAFE = 'commits are kept here and pushed later';

/** There was no answer, or not the whole of it: refused, not resolved, cut, silent for too long; or its TLS is not to be trusted. */
export function unreachable(remote: Remote, cause: unknown): KeeperError {
  if (isDistrust(cause)) return untrusted(remote, cause);
  return failure(remote, `Cannot reach the remote ${urlOf(remote)}: ${describeFailure(cause)}; ${SAFE}`, {
    kind: 'transient',
    code: 'REMOTE_UNREACHABLE',
    cause,
  });
}

/** The server fell silent, or took longer than allowed. */
export function tooSlow(remote: Remote, doing: string, ms: number): KeeperError {
  const seconds = Math.round(ms / 100) / 10;
  return failure(remote, `Cannot reach the remote ${urlOf(remote)}: ${doing} for ${seconds} s; ${SAFE}`, {
    kind: 'transient',
    code: 'REMOTE_UNREACHABLE',
  });
}

/** What came is not what Git sends: cut short, or changed on the way. */
export function damagedAnswer(remote: Remote, cause: unknown): KeeperError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return failure(
    remote,
    `The answer of the remote ${urlOf(remote)} is damaged: ${wordsOf(remote, problem)}; nothing of it was used, ${SAFE}`,
    { kind: 'transient', code: 'REMOTE_UNREACHABLE', cause: cause instanceof RangeError ? cause : undefined },
  );
}

/** It answers with more than anybody should have to take. */
export function tooLarge(remote: Remote, what: string, bytes: number): KeeperError {
  const size = `${Math.round(bytes / 1024 / 1024)} MiB`;
  return failure(
    remote,
    `The remote ${urlOf(remote)} sends ${what} of more than ${size}; nothing of it was used, ${SAFE}, look at the server`,
    { kind: 'stalled', code: 'REMOTE_REFUSED' },
  );
}

/** An answer that sends us elsewhere. `to` is the Location header; of it only scheme, host and port are shown. */
export function redirected(remote: Remote, to: string | undefined): KeeperError {
  const origin = originOf(to, remote.place.url);
  const isElsewhere = origin !== new URL(remote.place.url).origin;
  const where = isElsewhere ? `to ${origin ?? 'somewhere that is no URL'}` : 'to a page that is no Git repository';
  return failure(
    remote,
    `The remote ${urlOf(remote)} redirects ${where}; it was not followed and nothing was sent there, ${SAFE}, give the right URL with --remote`,
    { kind: 'stalled', code: 'REMOTE_REDIRECTED', ...(origin === undefined ? {} : { details: { origin } }) },
  );
}

/** Its objects have other names than ours. */
export function foreignFormat(remote: Remote, format: string): KeeperError {
  return failure(
    remote,
    `The repository at ${urlOf(remote)} has the object format ${wordsOf(remote, format)}, kubekeeper writes sha1; ${SAFE}, create it anew there`,
    { kind: 'stalled', code: 'REMOTE_REFUSED' },
  );
}

/** The server answers, but not as Git over HTTP does. */
export function noGitServer(remote: Remote, contentType: string | undefined): KeeperError {
  const type = contentType === undefined ? 'something unnamed' : wordsOf(remote, contentType);
  return failure(
    remote,
    `There is no Git repository at ${urlOf(remote)}: it answers with ${type}; ${SAFE}, correct --remote`,
    { kind: 'stalled', code: 'REMOTE_NOT_FOUND' },
  );
}

/** What was fetched does not lead to its beginning: the repository there is damaged, or another program sits between. */
export function incomplete(remote: Remote, cause: unknown): KeeperError {
  return failure(
    remote,
    `The remote ${urlOf(remote)} has sent a history with objects missing; nothing of it was used, run "git fsck" there`,
    { kind: 'stalled', code: 'REMOTE_REFUSED', cause },
  );
}

/** There is a repository, and nothing in it to begin with. */
export function hasNoMain(remote: Remote): KeeperError {
  return failure(
    remote,
    `The remote ${urlOf(remote)} has no branch main; nothing was fetched, and nothing is lost there`,
    {
      kind: 'stalled',
      code: 'REMOTE_NOT_FOUND',
    },
  );
}

/** The server took the request and said that it failed, in its own words (an ERR line, the error band, a refused ref). */
export function remoteFailed(remote: Remote, words: string, details: KeeperErrorOptions['details'] = {}): KeeperError {
  const isTransient = isTrouble(words);
  const advice = isTransient ? ', it is tried again' : ', look at the rules and hooks of the repository there';
  return failure(remote, `The remote ${urlOf(remote)} refused: ${wordsOf(remote, words)}; ${SAFE}${advice}`, {
    kind: isTransient ? 'transient' : 'stalled',
    code: 'REMOTE_REFUSED',
    details,
  });
}

function untrusted(remote: Remote, cause: unknown): KeeperError {
  return failure(
    remote,
    `Cannot trust the remote ${urlOf(remote)}: ${describeFailure(cause)}; nothing was sent, ${SAFE}, mend its certificate or give its CA with --remote-ca`,
    { kind: 'stalled', code: 'REMOTE_UNTRUSTED', cause },
  );
}

function originOf(location: string | undefined, base: string): string | undefined {
  if (location === undefined || !URL.canParse(location, base)) return undefined;
  const { protocol, host } = new URL(location, base);
  return `${protocol}//${host}`;
}

/** Never with a user in it, whatever the place was made from. */
export function urlOf(remote: Remote): string {
  const { origin, pathname } = new URL(remote.place.url);
  return `${origin}${pathname}`;
}

/** Names the remote for machines, too. */
export function failure(remote: Remote, message: string, options: KeeperErrorOptions): KeeperError {
  return new KeeperError(message, { ...options, details: { url: urlOf(remote), ...options.details } });
}
