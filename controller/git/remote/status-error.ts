import type { ErrorCode, KeeperError, KeeperErrorOptions } from '../../errors.ts';
import { failure, SAFE, urlOf } from './errors.ts';
import { wordsOf } from './server-words.ts';
import type { Remote } from './transport.ts';

const LONGEST_WAIT_MS = 3_600_000;

/** What an answer other than 200 means; `text` is its body where that is plain text. */
export function refusedByStatus(
  remote: Remote,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): KeeperError {
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const { kind, code, advice } = meaningOf(status, retryAfterMs !== undefined);
  const words = wordsOf(remote, text);
  const answer = words === '' ? `${status}` : `${status}: ${words}`;
  return failure(remote, `${HEADS[code] ?? 'Cannot reach the remote'} ${urlOf(remote)} (${answer}); ${SAFE}${advice}`, {
    kind,
    code,
    details: { status },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const HEADS: Readonly<Partial<Record<ErrorCode, string>>> = {
  REMOTE_CREDENTIALS_REFUSED: 'Our credentials were refused by the remote',
  REMOTE_NOT_FOUND: 'There is no repository to be seen at',
  REMOTE_REFUSED: 'The request was refused by the remote',
};

interface Meaning extends Pick<KeeperErrorOptions, 'kind' | 'code'> {
  readonly advice: string;
}

function meaningOf(status: number, hasRetryAfter: boolean): Meaning {
  const later: Meaning = { kind: 'transient', code: 'REMOTE_UNREACHABLE', advice: '' };
  if (status === 401 || (status === 403 && !hasRetryAfter)) {
    const advice = ', renew the token or give its account the right to write';
    return { kind: 'stalled', code: 'REMOTE_CREDENTIALS_REFUSED', advice };
  }
  if (status === 404 || status === 410) {
    const advice = ', create it there or let the account of the token see it';
    return { kind: 'stalled', code: 'REMOTE_NOT_FOUND', advice };
  }
  if (status === 507) return { kind: 'transient', code: 'REMOTE_REFUSED', advice: ', make room on the server' };
  if (status === 408 || status === 429 || status === 403 || status >= 500) return later;
  const advice = status === 413 ? ', let the server or what stands before it take larger requests' : '';
  return { kind: 'stalled', code: 'REMOTE_REFUSED', advice };
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3), in milliseconds from now; nobody can make us wait for days. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_WAIT_MS) : undefined;
}
