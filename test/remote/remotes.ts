import assert from 'node:assert/strict';
import type { Credential, CredentialSource } from '../../controller/core/ports.ts';
import { type ErrorCode, type ErrorKind, KeeperError } from '../../controller/errors.ts';
import { openTransport, type Remote, type TransportOptions } from '../../controller/git/remote/transport.ts';
import type { GitServer } from './git-server.ts';

/** A signal that nobody aborts. */
export const UNHINDERED: AbortSignal = new AbortController().signal;

/** For faults that are waited for; what must succeed has its usual time, since the machine may be busy. */
export const SHORT = { connectMs: 1000, headersMs: 1000, silenceMs: 1000 } as const;

export interface OpenRemote extends Remote, AsyncDisposable {}

/** A remote as the code under test has it; its connections end with it. Proxy variables of the machine play no part. */
export function openRemote(
  server: Pick<GitServer, 'place' | 'authority'>,
  name: string,
  options: TransportOptions & { readonly credentials?: CredentialSource } = {},
): OpenRemote {
  const { credentials, ...rest } = options;
  const ca = server.authority === '' ? {} : { ca: server.authority };
  const transport = openTransport({ variables: {}, ...ca, ...rest });
  return {
    place: server.place(name),
    transport,
    ...(credentials === undefined ? {} : { credentials }),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** Gives one after the other whenever it is asked to renew; the last one again and again. */
export function rotating(...credentials: readonly Credential[]): CredentialSource & { readonly renewals: number } {
  let at = 0;
  return {
    get renewals() {
      return at;
    },
    get: async ({ renew = false } = {}) => {
      if (renew) at++;
      return credentials[Math.min(at, credentials.length - 1)];
    },
  };
}

export function token(text: string): Credential {
  return { kind: 'token', token: text };
}

/** Rejects with exactly this KeeperError; answers it. The message is one line and names the remote without a user. */
export async function failsWith(work: Promise<unknown>, code: ErrorCode, kind: ErrorKind): Promise<KeeperError> {
  const error = await work.then(
    () => assert.fail(`Nothing failed where ${code} was expected`),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof KeeperError, String(error));
  assert.equal(error.code, code, error.message);
  assert.equal(error.kind, kind, error.message);
  assert.doesNotMatch(error.message, /[\r\n]|\/\/[^/]*@/);
  return error;
}
