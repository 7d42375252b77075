import { NETWORK_FAILURES } from '../core/network-failures.ts';
import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from '../core/object.ts';
import { KeeperError, type KeeperErrorOptions } from '../errors.ts';

/** The one place where answers of the API server and failures of the way to it become KeeperErrors. */

export interface Asked {
  readonly method: string;
  /** With its query, which stays out of every message. */
  readonly path: string;
  readonly server: string;
}

/** What a non-2xx answer means. `text` is the body: a Status object, or plain text from something in front of the server. */
export function refusal(
  asked: Asked,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): KeeperError {
  const said = parseStatus(text);
  return translate(asked, status, said, retryAfterMs(headers['retry-after'], said));
}

/** What an ERROR event in a watch means; its object is a Status. */
export function refusalInStream(asked: Asked, object: Json | undefined): KeeperError {
  const said = isJsonObject(object) ? object : {};
  const code = typeof said['code'] === 'number' ? said['code'] : 500;
  return translate(asked, code, said, retryAfterMs(undefined, said));
}

/** The server gave no answer: refused, not resolved, not trusted, cut, or silent for too long. */
export function unreachable(asked: Asked, cause: unknown): KeeperError {
  const reason = describeFailure(cause);
  return new KeeperError(`Cannot reach the API server at ${asked.server}: ${reason}`, {
    kind: 'transient',
    code: 'CLUSTER_UNREACHABLE',
    details: detailsOf(asked),
    cause,
  });
}

/** The server fell silent, or took longer than allowed. */
export function tooSlow(asked: Asked, ms: number): KeeperError {
  return unreachable(asked, new Error(`no answer for ${Math.round(ms / 100) / 10} s`));
}

/** A complete line or body that is no JSON: the stream cannot be trusted. */
export function unparsable(asked: Asked, cause: unknown): KeeperError {
  const path = pathOf(asked);
  return new KeeperError(`The answer to ${asked.method} ${path} is damaged; the list is started over`, {
    kind: 'transient',
    code: 'RESOURCE_EXPIRED',
    details: detailsOf(asked),
    cause,
  });
}

/** The credentials could not be had: a plug-in failed, a token file cannot be read. */
export function credentialsUnavailable(user: string, cause: unknown): KeeperError {
  return new KeeperError(`Cannot get credentials of user "${user}": ${describeFailure(cause)}; nothing was sent`, {
    kind: 'stalled',
    code: 'CREDENTIALS_REFUSED',
    cause,
  });
}

/** A kubeconfig, or what it names, cannot be used; nothing was contacted. */
export function invalidKubeconfig(message: string, cause?: unknown): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'KUBECONFIG_INVALID', cause });
}

function translate(asked: Asked, status: number, said: JsonObject, wait: number): KeeperError {
  const options: KeeperErrorOptions = {
    ...meaningOf(asked, status, said, wait),
    details: { ...detailsOf(asked), status },
    ...(wait === 0 ? {} : { retryAfterMs: wait }),
  };
  const { head, tail } = wordsOf(options.code);
  const message = oneLine(stringAt(said, 'message') ?? '');
  const answer = message === '' ? `${status}` : `${status}: ${message}`;
  return new KeeperError(`${head} ${asked.method} ${pathOf(asked)} (${answer})${tail}`, options);
}

function meaningOf(
  asked: Asked,
  status: number,
  said: JsonObject,
  wait: number,
): Pick<KeeperErrorOptions, 'kind' | 'code'> {
  if (isExpired(status, said)) return { kind: 'transient', code: 'RESOURCE_EXPIRED' };
  if (status === 401) return { kind: 'stalled', code: 'CREDENTIALS_REFUSED' };
  if (status === 403) return { kind: 'stalled', code: 'RESOURCE_FORBIDDEN' };
  if (status === 404) return { kind: 'skipped', code: namesObject(said) ? 'OBJECT_NOT_FOUND' : 'RESOURCE_NOT_SERVED' };
  if (status === 405) return { kind: 'skipped', code: 'RESOURCE_NOT_SERVED' };
  if (status === 429) return { kind: 'transient', code: 'CLUSTER_BUSY' };
  if (status === 503) return { kind: 'transient', code: wait === 0 ? 'RESOURCE_UNAVAILABLE' : 'CLUSTER_BUSY' };
  if (status >= 500) return { kind: 'transient', code: 'CLUSTER_BUSY' };
  if (status === 409) return { kind: 'transient', code: 'REQUEST_REFUSED' };
  return { kind: asked.method === 'GET' && status < 400 ? 'stalled' : 'invalid-input', code: 'REQUEST_REFUSED' };
}

/** 410; and a version from the future, as after an etcd was restored from a backup: only a new list helps against both. */
function isExpired(status: number, said: JsonObject): boolean {
  if (status === 410 || stringAt(said, 'reason') === 'Expired' || stringAt(said, 'reason') === 'Gone') return true;
  const causes = arrayAt(objectAt(said, 'details'), 'causes');
  return causes.some((cause) => stringAt(cause, 'reason') === 'ResourceVersionTooLarge');
}

function namesObject(said: JsonObject): boolean {
  return (stringAt(objectAt(said, 'details'), 'name') ?? '') !== '';
}

function wordsOf(code: KeeperErrorOptions['code']): { readonly head: string; readonly tail: string } {
  switch (code) {
    case 'CREDENTIALS_REFUSED':
      return { head: 'The API server refused our credentials for', tail: '; renew the token, certificate or plug-in' };
    case 'RESOURCE_FORBIDDEN':
      return { head: 'Not permitted:', tail: '; grant get, list and watch to read it' };
    case 'RESOURCE_NOT_SERVED':
      return { head: 'The API server does not serve', tail: '' };
    case 'OBJECT_NOT_FOUND':
      return { head: 'There is no object at', tail: '' };
    case 'RESOURCE_EXPIRED':
      return { head: 'Too old to go on from:', tail: '; it is listed again' };
    case 'RESOURCE_UNAVAILABLE':
      return { head: 'Not available now:', tail: '; it is tried again' };
    case 'CLUSTER_BUSY':
      return { head: 'The API server cannot answer now:', tail: '; it is tried again' };
    default:
      return { head: 'The API server refused', tail: '' };
  }
}

/** The Status object of a refusal, or its text as one. */
export function parseStatus(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isJsonObject(parsed)) return parsed;
  } catch {
    // Proxies and aggregated servers answer in plain text; a page of HTML says nothing to a person.
  }
  return { message: /^\s*</.test(text) ? '' : text };
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3); 0 where nothing was asked for. */
function retryAfterMs(header: string | undefined, said: JsonObject): number {
  const seconds = header === undefined ? objectAt(said, 'details')?.['retryAfterSeconds'] : Number(header);
  if (typeof seconds === 'number' && seconds > 0) return seconds * 1000;
  const until = header === undefined ? Number.NaN : Date.parse(header) - Date.now();
  return Number.isNaN(until) ? 0 : Math.max(until, 0);
}

const FAILURES: Readonly<Record<string, string>> = {
  ...NETWORK_FAILURES,
  UND_ERR_HEADERS_TIMEOUT: 'it took the request and does not answer',
  UND_ERR_BODY_TIMEOUT: 'it fell silent',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by the authority in the kubeconfig',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by the authority in the kubeconfig',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the authority in the kubeconfig',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by the authority in the kubeconfig',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name (see tls-server-name)',
};

/** A failure of the network or the system in words. */
export function describeFailure(cause: unknown): string {
  // Two addresses that both fail come as an AggregateError without a message of its own.
  const error = cause instanceof AggregateError ? cause.errors.at(-1) : cause;
  if (!(error instanceof Error)) return 'unknown failure';
  const known = 'code' in error && typeof error.code === 'string' ? FAILURES[error.code] : undefined;
  if (known !== undefined) return known;
  return error.cause instanceof Error && error.message === 'fetch failed'
    ? describeFailure(error.cause)
    : oneLine(error.message);
}

/** The first line, short, without anything that is long and dense enough to be a token. */
function oneLine(text: string): string {
  const line = text.trim().split(/[\r\n]/, 1)[0] ?? '';
  const masked = line.replace(/[A-Za-z0-9_+/=-]{20,}(?:\.[A-Za-z0-9_+/=-]{20,})+|[A-Za-z0-9_+/=]{64,}/g, '***');
  return masked.length > 300 ? `${masked.slice(0, 300)}...` : masked;
}

function pathOf(asked: Asked): string {
  return asked.path.split('?', 1)[0] ?? '';
}

function detailsOf(asked: Asked): Readonly<Record<string, string>> {
  return { method: asked.method, path: pathOf(asked) };
}
