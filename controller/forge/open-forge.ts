import type { CredentialSource, Forge, PullRequests } from '../core/ports.ts';
import { type ApiOptions, openApi } from './api.ts';
import { authorizeWith } from './authorization.ts';
import { detectForge } from './detect.ts';
import { openDispatcher, type Way } from './dispatcher.ts';
import { giteaForge } from './gitea.ts';
import { githubForge } from './github.ts';
import { GITHUB_HEADERS, githubAddress, isGithubCom } from './github-address.ts';
import { giteaDialect, githubDialect } from './pull-request-dialects.ts';
import { pullRequestsOf } from './pull-requests.ts';

export interface ForgeOptions extends Way {
  readonly kind: 'auto' | 'github' | 'gitea' | 'none';
  /** Of the remote. */
  readonly origin: string;
  /** The path that a Gitea is served at, without slashes at its ends; '' for the root. */
  readonly prefix?: string;
  readonly credentials: CredentialSource | undefined;
  /** Of each request, in milliseconds; 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A forge and its connections. */
export type OpenForge = Forge & { readonly pullRequests: PullRequests } & AsyncDisposable;

/**
 * The API beside a remote; undefined when it is a plain Git server. With `auto` the server is asked what it is, but for names that are
 * known to be GitHub's. Throws KeeperError REMOTE_*: transient when it cannot be reached now, so ask again.
 */
export async function openForge(options: ForgeOptions): Promise<OpenForge | undefined> {
  if (options.kind === 'none') return undefined;
  const { origin, prefix = '' } = options;
  const base = prefix === '' ? origin : `${origin}/${prefix}`;
  const kind = options.kind === 'auto' ? await detect(options, base) : options.kind;
  if (kind === undefined) return undefined;
  const baseUrl = kind === 'gitea' ? `${base}/api/v1` : githubAddress(origin);
  const dispatcher = openDispatcher(baseUrl, options);
  const api = openApi({ ...accessOf(options, kind), baseUrl, dispatcher });
  const forge = kind === 'gitea' ? giteaForge(api, prefix) : githubForge(api);
  const pullRequests = pullRequestsOf(api, kind === 'gitea' ? giteaDialect(prefix) : githubDialect);
  return { ...forge, pullRequests, [Symbol.asyncDispose]: () => dispatcher.destroy() };
}

async function detect(options: ForgeOptions, base: string): Promise<'github' | 'gitea' | undefined> {
  if (isGithubCom(options.origin)) return 'github';
  await using asking = new AsyncDisposableStack();
  const dispatcher = asking.adopt(openDispatcher(base, options), (one) => one.destroy());
  return await detectForge(openApi({ ...accessOf(options, undefined), baseUrl: base, dispatcher }), options.signal);
}

function accessOf(
  options: ForgeOptions,
  kind: 'github' | 'gitea' | undefined,
): Omit<ApiOptions, 'baseUrl' | 'dispatcher'> {
  return {
    authorize: authorizeWith(options.credentials, kind),
    ...(kind === 'github' ? { headers: GITHUB_HEADERS } : {}),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
}
