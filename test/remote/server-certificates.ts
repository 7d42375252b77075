import type { SecureContextOptions } from 'node:tls';
import { type CertificateAuthority, createAuthority, createSelfSigned } from '../cluster/certificates.ts';

/** What a TLS server of a test shows: a good certificate, or one of those that must be refused. */
export type TlsVariant = 'good' | 'self-signed' | 'expired' | 'not-yet-valid' | 'wrong-name' | 'old-protocol';

const DAY_MS = 24 * 3_600_000;

export function serverTls(variant: TlsVariant): { readonly authority: string; readonly options: SecureContextOptions } {
  const authority = createAuthority('kubekeeper-test-remote');
  const { certificate, key } = issue(authority, variant);
  // OpenSSL 3 speaks TLS 1.1 only at the lowest security level.
  const old =
    variant === 'old-protocol' ? { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } : {};
  return { authority: authority.certificate, options: { cert: certificate, key, ...(old as SecureContextOptions) } };
}

function issue(authority: CertificateAuthority, variant: TlsVariant) {
  const now = Date.now();
  switch (variant) {
    case 'self-signed':
      return createSelfSigned('remote', ['127.0.0.1', 'localhost']);
    case 'expired':
      return authority.issueServer('remote', ['127.0.0.1', 'localhost'], {
        from: new Date(now - 2 * DAY_MS),
        until: new Date(now - DAY_MS),
      });
    case 'not-yet-valid':
      return authority.issueServer('remote', ['127.0.0.1', 'localhost'], {
        from: new Date(now + DAY_MS),
        until: new Date(now + 2 * DAY_MS),
      });
    case 'wrong-name':
      return authority.issueServer('remote', ['git.example']);
    default:
      return authority.issueServer('remote', ['127.0.0.1', 'localhost']);
  }
}
