import type { Octokit } from '@octokit/rest';
import type { Forge } from '../core/ports.ts';
import type { RemotePlace } from '../core/remote.ts';
import { nonsense, refused } from './errors.ts';
import { DESCRIPTION, isOwnAccount } from './own-account.ts';
import { type Placement, placementOf } from './placement.ts';
import { Refusal } from './refusal.ts';

/** GitHub and GitHub Enterprise Server. */
export function githubForge(api: Octokit): Forge {
  return {
    kind: 'github',
    async create(place, { signal }) {
      const placement = placementOf(place, '');
      const isOwn = await isOwnAccount(api, { origin: place.origin, owner: placement.owner }, signal);
      try {
        const status = await make(api, placement, isOwn === true, signal);
        if (status !== 201) throw nonsense(place.origin);
        return 'created';
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (isTaken(error)) return 'exists';
        throw refused('make', place, error, adviceOf(error, placement.owner, isOwn));
      }
    },
    protect: (place, { signal }) => protect(api, place, signal),
  };
}

/** Answers the status of what was answered. */
async function make(api: Octokit, { owner, repo }: Placement, isOwn: boolean, signal?: AbortSignal): Promise<number> {
  const body = { name: repo, description: DESCRIPTION, private: true, auto_init: false, ...abortedBy(signal) };
  const asked = isOwn
    ? api.rest.repos.createForAuthenticatedUser(body)
    : api.rest.repos.createInOrg({ org: owner, ...body });
  return (await asked).status;
}

/** The one 422 that is no mistake of ours; GitHub has no code of its own for it. */
function isTaken(refusal: Refusal): boolean {
  return refusal.status === 422 && refusal.reasons.some((reason) => /^name already exists\b/i.test(reason));
}

function adviceOf(refusal: Refusal, owner: string, isOwn: boolean | undefined): string {
  const byHand = 'or make it by hand, empty and private';
  const scopes = refusal.scopes?.split(/[\s,]+/);
  // To a token without the scope GitHub says 404, as to what does not exist.
  if (scopes !== undefined && !scopes.includes('repo')) return `give the token the scope "repo", ${byHand}`;
  if (refusal.status === 404 && isOwn !== true) {
    return `"${owner}" is no organization that these credentials see, nor their own account: check --remote, give access, ${byHand}`;
  }
  if (refusal.status !== 403 && refusal.status !== 404) return `correct --remote, ${byHand}`;
  const permission = refusal.needs ?? 'administration=write';
  return `the account needs the right to create repositories in "${owner}", a fine-grained token or GitHub App the permission ${permission}; give it, ${byHand}`;
}

/** A rule that a person made is looked at and left alone: writing ours would take away what else it asks for. */
async function protect(api: Octokit, place: RemotePlace, signal?: AbortSignal): Promise<boolean> {
  const branch = { ...placementOf(place, ''), branch: 'main', ...abortedBy(signal) };
  try {
    const present = await rulesOf(api, branch);
    if (present !== undefined)
      return present.allow_force_pushes?.enabled === false && present.allow_deletions?.enabled === false;
    await api.rest.repos.updateBranchProtection({
      ...branch,
      required_status_checks: null,
      required_pull_request_reviews: null,
      restrictions: null,
      // Else a token of an administrator would not be held back, and ours may be one.
      enforce_admins: true,
      allow_force_pushes: false,
      allow_deletions: false,
    });
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // No right, no such plan, or no branch yet: GitHub protects only branches that exist.
    if (error.status === 403 || error.status === 404) return false;
    throw refused('protect', place, error, 'protect it by hand');
  }
}

async function rulesOf(api: Octokit, branch: { owner: string; repo: string; branch: string }) {
  try {
    return (await api.rest.repos.getBranchProtection(branch)).data;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw error;
  }
}

function abortedBy(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { request: { signal } };
}
