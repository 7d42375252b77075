import { KeeperError } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not listen there',
  ENOTFOUND: 'no such host is known',
};

export function addressUnusable(address: string, cause: unknown): KeeperError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  return new KeeperError(
    `Cannot listen on ${address}: ${REASONS[code] ?? code}; nothing was changed, choose another with --listen`,
    { kind: 'invalid-input', code: 'ADDRESS_UNUSABLE', cause },
  );
}
