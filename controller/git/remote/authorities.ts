import { X509Certificate } from 'node:crypto';
import { KeeperError } from '../../errors.ts';

/**
 * Throws REMOTE_INVALID unless the text holds certificates that can be read. Node takes a text without any for an empty
 * list, and would then trust nobody without saying why.
 */
export function checkAuthorities(ca: string): void {
  const found = ca.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const certificate of found) new X509Certificate(certificate);
    if (found.length > 0) return;
  } catch (cause) {
    throw invalidAuthorities(cause);
  }
  throw invalidAuthorities(undefined);
}

function invalidAuthorities(cause: unknown): KeeperError {
  return new KeeperError('Cannot use --remote-ca: it holds no certificate in PEM that can be read; nothing was sent', {
    kind: 'invalid-input',
    code: 'REMOTE_INVALID',
    cause,
  });
}
