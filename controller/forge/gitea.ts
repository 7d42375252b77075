import type { Octokit } from '@octokit/rest';
import { isJsonObject } from '../core/object.ts';
import type { Forge } from '../core/ports.ts';
import type { RemotePlace } from '../core/remote.ts';
import { nonsense, refused } from './errors.ts';
import { DESCRIPTION, isOwnAccount } from './own-account.ts';
import { type Placement, placementOf } from './placement.ts';
import { Refusal } from './refusal.ts';

/** Gitea and Forgejo. `prefix` is the path that they are served at, '' for the root. */
export function giteaForge(api: Octokit, prefix: string): Forge {
  return {
    kind: 'gitea',
    async create(place, { signal }) {
      const placement = placementOf(place, prefix);
      const isOwn = await isOwnAccount(api, { origin: place.origin, owner: placement.owner }, signal);
      try {
        const status = await make(api, placement, isOwn === true, signal);
        if (status !== 201) throw nonsense(place.origin);
        return 'created';
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.status === 409) return 'exists';
        throw refused('make', place, error, adviceOf(error, placement.owner, isOwn));
      }
    },
    protect: (place, { signal }) => protect(api, place, prefix, signal),
  };
}

/** Answers the status of what was answered. */
async function make(api: Octokit, { owner, repo }: Placement, isOwn: boolean, signal?: AbortSignal): Promise<number> {
  const route = isOwn ? 'POST /user/repos' : 'POST /orgs/{org}/repos';
  const { status } = await api.request(route, {
    ...(isOwn ? {} : { org: owner }),
    name: repo,
    description: DESCRIPTION,
    private: true,
    auto_init: false,
    // Else the forge's own default would be what a clone checks out.
    default_branch: 'main',
    ...abortedBy(signal),
  });
  return status;
}

function adviceOf(refusal: Refusal, owner: string, isOwn: boolean | undefined): string {
  const byHand = 'or make it by hand, empty and private';
  if (refusal.status === 404 && isOwn !== true) {
    const scope = isOwn === undefined ? ', a token for its own account needs the scope "write:user"' : '';
    return `"${owner}" is no organization that these credentials see, nor their own account${scope}: check --remote, give access, ${byHand}`;
  }
  if (/scope/i.test(refusal.message)) {
    // A token that may not say whose it is may be meant for either.
    const own = isOwn === false ? '' : ' or, for its own account, "write:user"';
    return `give the token the scopes "write:repository" and "write:organization"${own}, ${byHand}`;
  }
  if (refusal.status !== 403 && refusal.status !== 404) return `correct --remote, ${byHand}`;
  return `the account needs the right to create repositories in "${owner}"; give it, ${byHand}`;
}

const BRANCH_RULES = '/repos/{owner}/{repo}/branch_protections';

/** A rule that a person made is looked at and left alone. Gitea protects the branch before it exists, and a protected one from deletion. */
async function protect(api: Octokit, place: RemotePlace, prefix: string, signal?: AbortSignal): Promise<boolean> {
  const placement = { ...placementOf(place, prefix), ...abortedBy(signal) };
  try {
    await api.request(`POST ${BRANCH_RULES}`, {
      ...placement,
      rule_name: 'main',
      enable_push: true,
      enable_push_whitelist: false,
      enable_force_push: false,
    });
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // It says 403 to a rule that exists, too.
    if (error.status === 403) return isProtected(api, placement);
    if (error.status === 404) return false;
    throw refused('protect', place, error, 'protect it by hand');
  }
}

async function isProtected(api: Octokit, placement: { owner: string; repo: string }): Promise<boolean> {
  try {
    const { data } = await api.request(`GET ${BRANCH_RULES}/main`, placement);
    // Forgejo has no such field: it never allows a force push to a protected branch.
    return isJsonObject(data) && data['enable_force_push'] !== true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function abortedBy(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { request: { signal } };
}
