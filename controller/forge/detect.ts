import type { Octokit } from '@octokit/rest';
import { isJsonObject } from '../core/object.ts';
import { KeeperError } from '../errors.ts';
import { Refusal } from './refusal.ts';

/**
 * Which forge answers at an address; undefined for a plain Git server, or one that we do not speak to. `api` is based at the address
 * itself. Throws KeeperError when the server cannot be asked now or refuses the credentials.
 */
export async function detectForge(api: Octokit, signal?: AbortSignal): Promise<'github' | 'gitea' | undefined> {
  const gitea = await probe(api, 'GET /api/v1/version', signal);
  if (isJsonObject(gitea?.data) && typeof gitea.data['version'] === 'string') return 'gitea';
  const github = await probe(api, 'GET /api/v3/meta', signal);
  if (github?.headers['x-github-enterprise-version'] !== undefined) return 'github';
  return isJsonObject(github?.data) && 'verifiable_password_authentication' in github.data ? 'github' : undefined;
}

interface Found {
  readonly data: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Servers answer to paths that they do not know with anything but JSON of ours: pages, refusals, a way to somewhere else. */
async function probe(api: Octokit, route: string, signal?: AbortSignal): Promise<Found | undefined> {
  try {
    return await api.request(route, signal === undefined ? {} : { request: { signal } });
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    if (error instanceof KeeperError && error.code === 'REMOTE_REDIRECTED') return undefined;
    throw error;
  }
}
