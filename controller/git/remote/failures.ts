import { NETWORK_FAILURES } from '../../core/network-failures.ts';

/** Failures of the network and of TLS in words. */

const NOT_SIGNED = 'its certificate is not signed by an authority that is trusted here';

const DISTRUST: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; is the clock right?',
  CERT_REVOKED: 'its certificate was revoked',
  CERT_UNTRUSTED: NOT_SIGNED,
  CERT_REJECTED: NOT_SIGNED,
  CERT_CHAIN_TOO_LONG: NOT_SIGNED,
  CERT_SIGNATURE_FAILURE: NOT_SIGNED,
  INVALID_CA: NOT_SIGNED,
  INVALID_PURPOSE: 'its certificate is not one for servers',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: NOT_SIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_SIGNED,
  UNABLE_TO_GET_ISSUER_CERT: NOT_SIGNED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_SIGNED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS there',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no TLS of version 1.2 or newer',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no TLS of version 1.2 or newer',
};

const FAILURES: Readonly<Record<string, string>> = {
  ...NETWORK_FAILURES,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was cut',
  UND_ERR_HEADERS_TIMEOUT: 'the proxy does not answer',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of its answer are too long',
  UND_ERR_DESTROYED: 'we are about to end',
  UND_ERR_PRX_CONN: 'the proxy cut the connection',
};

/** The server was there and is not to be trusted, or cannot prove who it is. */
export function isDistrust(cause: unknown): boolean {
  return errors(cause).some((error) => {
    const code = codeOf(error);
    return code !== undefined && (code in DISTRUST || code.startsWith('ERR_SSL_') || code === 'EPROTO');
  });
}

export function describeFailure(cause: unknown): string {
  const chain = errors(cause);
  for (const error of chain) {
    const code = codeOf(error);
    if (code !== undefined && code in DISTRUST) return DISTRUST[code] as string;
  }
  if (isDistrust(cause)) return 'no TLS connection can be agreed on';
  for (const error of chain) {
    const status = /^Proxy response \((\d+)\)/.exec(error.message)?.[1];
    if (status !== undefined) return `the proxy (HTTPS_PROXY) answers ${status}`;
    const code = codeOf(error);
    if (code !== undefined && code in FAILURES) return FAILURES[code] as string;
  }
  // A text of the system or of undici: it holds an address or a number, and no header.
  return codeOf(chain[0]) ?? chain[0]?.message ?? 'unknown failure';
}

/** An error and those behind it; two addresses that both fail come as an AggregateError without words of its own. */
function errors(cause: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let error = cause; error instanceof Error && found.length < 8; error = error.cause) {
    const inner = error instanceof AggregateError ? (error.errors as unknown[]) : [];
    found.push(error, ...inner.filter((one) => one instanceof Error));
  }
  return found;
}

function codeOf(error: Error | undefined): string | undefined {
  return error !== undefined && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
