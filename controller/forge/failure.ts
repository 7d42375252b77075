import { NETWORK_FAILURES } from '../core/network-failures.ts';
import { KeeperError } from '../errors.ts';
import { LedAway } from './bounded-fetch.ts';
import { redirected, unreachable, untrusted } from './errors.ts';
import type { Mask } from './masking.ts';

const NETWORK: Readonly<Record<string, string>> = {
  ...NETWORK_FAILURES,
  ECONNREFUSED: 'connection refused',
  UND_ERR_HEADERS_TIMEOUT: 'it took the request and does not answer',
  UND_ERR_BODY_TIMEOUT: 'it fell silent',
};

const STRANGER = 'its certificate comes from an unknown authority';

/** Of Node's X.509 error codes (nodejs.org, "TLS"), those that a server causes. */
const TLS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  CERT_REJECTED: STRANGER,
  CERT_SIGNATURE_FAILURE: STRANGER,
  CERT_UNTRUSTED: STRANGER,
  CERT_CHAIN_TOO_LONG: STRANGER,
  DEPTH_ZERO_SELF_SIGNED_CERT: STRANGER,
  INVALID_CA: STRANGER,
  INVALID_PURPOSE: 'its certificate is none of a server',
  SELF_SIGNED_CERT_IN_CHAIN: STRANGER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: STRANGER,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** A failure on the way to the forge or back; KeeperErrors pass through, of anything else only its code and masked words are kept. */
export function failureOf(api: string, error: unknown, mask: Mask): KeeperError {
  const chain = causesOf(error);
  const known = chain.find((one) => one instanceof KeeperError);
  if (known !== undefined) return known;
  const away = chain.find((one) => one instanceof LedAway);
  if (away !== undefined) return redirected(api, mask(away.target));
  const codes = chain.map(codeOf).filter((one) => one !== undefined);
  const cause = strip(chain.at(-1), mask);
  const distrust = codes.map(distrustOf).find((one) => one !== undefined);
  if (distrust !== undefined) return untrusted(api, distrust, cause);
  const code = codes.find((one) => one in NETWORK);
  const reason = code === undefined ? mask(cause.message) : (NETWORK[code] as string);
  return unreachable(api, reason, cause);
}

function distrustOf(code: string): string | undefined {
  const isHandshake = code === 'EPROTO' || code.startsWith('ERR_SSL_');
  return TLS[code] ?? (isHandshake ? 'no TLS connection can be agreed on' : undefined);
}

/** The error and what it wraps, outermost first; of two addresses that both failed, the last. */
function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && one !== null && chain.length < 10; ) {
    chain.push(one);
    one = one instanceof AggregateError ? one.errors.at(-1) : one instanceof Error ? one.cause : undefined;
  }
  return chain;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function strip(error: unknown, mask: Mask): Error {
  const stripped = new Error(mask(error instanceof Error ? error.message : 'unknown failure'));
  const code = codeOf(error);
  return code === undefined ? stripped : Object.assign(stripped, { code });
}
