import { isLoopback } from '../../core/remote.ts';
import { KeeperError } from '../../errors.ts';
import { authorizationOf } from './authorization.ts';
import type { Attempt } from './git-http.ts';
import type { Remote } from './transport.ts';

/**
 * Does something with the credential that is valid now. Where the remote refuses it, it is asked for once more, renewed,
 * and the work is done again; a second refusal counts. Credentials are sent at once: nobody has to ask for them.
 */
export async function withCredentials<Result>(
  remote: Remote,
  signal: AbortSignal,
  work: (attempt: Attempt) => Promise<Result>,
): Promise<Result> {
  requireSafePlace(remote);
  const authorization = await authorizationOf(remote, { signal });
  try {
    return await work({ authorization, signal });
  } catch (error) {
    if (!isRefusal(error) || authorization === undefined) throw error;
    const renewed = await renew(remote, authorization, signal);
    if (renewed === authorization) throw error;
    return await work({ authorization: renewed, signal });
  }
}

/** What `parseRemoteTemplate` makes is safe; a place from anywhere else must be so, too. */
function requireSafePlace({ place }: Remote): void {
  const { protocol, hostname, origin, username, password } = new URL(place.url);
  const isSafe =
    origin === place.origin &&
    username === '' &&
    password === '' &&
    (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)));
  if (isSafe) return;
  throw new KeeperError(
    'Cannot use the URL of a remote that holds a user or a password or is not https; nothing was sent',
    {
      kind: 'invalid-input',
      code: 'REMOTE_INVALID',
    },
  );
}

/** Many repositories are refused at the same moment: the first renews for all. */
async function renew(remote: Remote, refused: string, signal: AbortSignal): Promise<string | undefined> {
  const current = await authorizationOf(remote, { signal });
  return current === refused ? await authorizationOf(remote, { renew: true, signal }) : current;
}

function isRefusal(error: unknown): boolean {
  return error instanceof KeeperError && error.code === 'REMOTE_CREDENTIALS_REFUSED';
}
