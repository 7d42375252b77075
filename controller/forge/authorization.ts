import type { Credential, CredentialSource } from '../core/ports.ts';
import type { ApiOptions, Authorization } from './api.ts';

/** How the credentials of a remote go to its API. */
export function authorizeWith(
  credentials: CredentialSource | undefined,
  kind: 'github' | 'gitea' | undefined,
): ApiOptions['authorize'] {
  return async (how) => {
    const credential = await credentials?.get(how);
    return credential === undefined ? undefined : authorizationOf(credential, kind);
  };
}

/** GitHub knows no passwords since 2020, so what stands in that place is a token; Gitea takes both. */
function authorizationOf(credential: Credential, kind: 'github' | 'gitea' | undefined): Authorization {
  if (credential.kind === 'token') return bearer(credential.token);
  if (kind === 'github') return bearer(credential.password);
  const pair = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
  return { header: `Basic ${pair}`, secrets: [pair, credential.password] };
}

function bearer(token: string): Authorization {
  return { header: `Bearer ${token}`, secrets: [token] };
}
