import { z } from 'zod';
import { PULL_ROUTES } from './github-pulls.ts';
import type { GithubAccount, GithubState } from './github-state.ts';

/** What GitHub's REST API (version 2022-11-28) takes and answers for the calls that we make, as docs.github.com tells it. */

export interface GithubAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GithubRoute {
  readonly method: string;
  /** Below the API's base. */
  readonly path: RegExp;
  /** Of the body; none may come without it. Nothing else may be in it. */
  readonly body?: z.ZodType;
  /** As an App, as an account or installation, or by anybody. */
  readonly as: 'app' | 'account' | 'anybody';
  answer(state: GithubState, who: GithubAccount | undefined, parts: readonly string[], body: never): GithubAnswer;
}

/** What we send of what GitHub takes: a name that our calls do not use is a mistake here, even where GitHub would take it. */
const NewRepository = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
  description: z.string().max(350),
  private: z.literal(true),
  auto_init: z.literal(false),
});

/** The first four are required by GitHub, with null for none. */
const BranchProtection = z.strictObject({
  required_status_checks: z.null(),
  enforce_admins: z.literal(true),
  required_pull_request_reviews: z.null(),
  restrictions: z.null(),
  allow_force_pushes: z.literal(false),
  allow_deletions: z.literal(false),
});

export const ROUTES: readonly GithubRoute[] = [
  {
    method: 'GET',
    path: /^\/user$/,
    as: 'account',
    answer: (_, who) =>
      who?.kind === 'installation'
        ? refusal(403, 'Resource not accessible by integration')
        : { status: 200, body: { login: who?.login, id: 1, type: 'User' } },
  },
  {
    method: 'POST',
    path: /^\/user\/repos$/,
    body: NewRepository,
    as: 'account',
    answer: (state, who, _, body) => create(state, who, who?.login ?? '', body),
  },
  {
    method: 'POST',
    path: /^\/orgs\/([^/]+)\/repos$/,
    body: NewRepository,
    as: 'account',
    answer: (state, who, [owner = ''], body) =>
      state.organizations.has(owner) ? create(state, who, owner, body) : refusal(404, 'Not Found'),
  },
  {
    method: 'GET',
    path: /^\/repos\/([^/]+)\/([^/]+)\/branches\/main\/protection$/,
    as: 'account',
    answer: (state, who, [owner, name]) => protection(state, who, `${owner}/${name}`),
  },
  {
    method: 'PUT',
    path: /^\/repos\/([^/]+)\/([^/]+)\/branches\/main\/protection$/,
    body: BranchProtection,
    as: 'account',
    answer: (state, who, [owner, name], body) => protect(state, who, `${owner}/${name}`, body),
  },
  {
    method: 'GET',
    path: /^\/meta$/,
    as: 'anybody',
    answer: () => ({ status: 200, body: { verifiable_password_authentication: false } }),
  },
  {
    method: 'POST',
    path: /^\/app\/installations\/(\d+)\/access_tokens$/,
    as: 'app',
    answer: (state, _, [id]) => (Number(id) === state.installationId ? state.issueToken() : refusal(404, 'Not Found')),
  },
  {
    method: 'GET',
    path: /^\/(orgs|users)\/([^/]+)\/installation$/,
    as: 'app',
    answer: (state, _, [place, owner = '']) =>
      place === state.installedIn.place && owner === state.installedIn.owner
        ? { status: 200, body: { id: state.installationId, account: { login: owner } } }
        : refusal(404, 'Not Found'),
  },
  ...PULL_ROUTES,
];

export function refusal(status: number, message: string, more: object = {}): GithubAnswer {
  return { status, body: { message, ...more, documentation_url: 'https://docs.github.com/rest', status: `${status}` } };
}

function create(
  state: GithubState,
  who: GithubAccount | undefined,
  owner: string,
  body: z.infer<typeof NewRepository>,
): GithubAnswer {
  const refused = mayCreate(state, who, owner);
  if (refused !== undefined) return refused;
  const path = `${owner}/${body.name}`;
  if (state.repositories.has(path)) {
    const error = {
      resource: 'Repository',
      code: 'custom',
      field: 'name',
      message: 'name already exists on this account',
    };
    return refusal(422, 'Repository creation failed.', { errors: [error] });
  }
  state.repositories.set(path, { isPrivate: body.private, description: body.description, isPushed: false });
  return { status: 201, body: { id: 2, name: body.name, full_name: path, private: body.private } };
}

function mayCreate(state: GithubState, who: GithubAccount | undefined, owner: string): GithubAnswer | undefined {
  if (who?.scopes !== undefined && !who.scopes.includes('repo')) return refusal(404, 'Not Found');
  if (who?.lacks !== undefined) {
    const what = who.kind === 'installation' ? 'integration' : 'personal access token';
    return {
      ...refusal(403, `Resource not accessible by ${what}`),
      headers: { 'x-accepted-github-permissions': who.lacks },
    };
  }
  const isAdministrator = owner === who?.login || state.organizations.get(owner)?.includes(who?.login ?? '') === true;
  if (isAdministrator) return undefined;
  return refusal(403, 'You need admin access to the organization before adding a repository to it.');
}

function protection(state: GithubState, who: GithubAccount | undefined, path: string): GithubAnswer {
  const repository = state.repositories.get(path);
  const refused = mayProtect(state, who, path);
  if (refused !== undefined) return refused;
  if (repository?.protection === undefined) return refusal(404, 'Branch not protected');
  const { allow_force_pushes, allow_deletions } = repository.protection;
  const switches = {
    allow_force_pushes: { enabled: allow_force_pushes },
    allow_deletions: { enabled: allow_deletions },
  };
  return { status: 200, body: { url: path, ...switches } };
}

function protect(
  state: GithubState,
  who: GithubAccount | undefined,
  path: string,
  body: z.infer<typeof BranchProtection>,
): GithubAnswer {
  const repository = state.repositories.get(path);
  const refused = mayProtect(state, who, path);
  if (refused !== undefined || repository === undefined) return refused ?? refusal(404, 'Not Found');
  repository.protection = body;
  return protection(state, who, path);
}

function mayProtect(state: GithubState, who: GithubAccount | undefined, path: string): GithubAnswer | undefined {
  const repository = state.repositories.get(path);
  if (repository === undefined || mayCreate(state, who, path.split('/')[0] ?? '') !== undefined)
    return refusal(404, 'Not Found');
  if (!state.hasProtection) {
    return refusal(403, 'Upgrade to GitHub Pro or make this repository public to enable this feature.');
  }
  return repository.isPushed ? undefined : refusal(404, 'Branch not found');
}
