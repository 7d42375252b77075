import type { Octokit } from '@octokit/rest';
import { type Json, stringAt } from '../core/object.ts';
import { nonsense } from './errors.ts';
import { Refusal } from './refusal.ts';

/** What stands beside a repository that was made for the archive. */
export const DESCRIPTION = 'Kubernetes objects as kubekeeper archived them';

/**
 * Whether a repository's owner is the account that the credentials belong to. Undefined when the forge does not tell. Throws KeeperError
 * REMOTE_UNREACHABLE for what is no answer of a forge.
 */
export async function isOwnAccount(
  api: Octokit,
  { origin, owner }: { readonly origin: string; readonly owner: string },
  signal?: AbortSignal,
): Promise<boolean | undefined> {
  const login = await ownLogin(api, origin, signal);
  return login === undefined ? undefined : login.toLowerCase() === owner.toLowerCase();
}

/**
 * The account that the credentials belong to. Undefined when the forge does not tell: a GitHub App's installation is no account, a token may
 * have no right to look. Throws KeeperError REMOTE_UNREACHABLE for what is no answer of a forge.
 */
export async function ownLogin(api: Octokit, origin: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const { data } = await api.rest.users.getAuthenticated(signal === undefined ? {} : { request: { signal } });
    const login = stringAt(data as unknown as Json, 'login');
    if (login === undefined) throw nonsense(origin);
    return login;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
