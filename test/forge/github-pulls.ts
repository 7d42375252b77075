import { z } from 'zod';
import type { GithubAnswer, GithubRoute } from './github-routes.ts';
import type { GithubAccount, GithubState } from './github-state.ts';

/** GitHub's pull requests (docs.github.com, REST API, "Pulls" and "Issues", version 2022-11-28), as far as we use them. */

export interface GithubPull {
  readonly number: number;
  /** A login. */
  readonly author: string;
  title: string;
  body: string;
  state: 'open' | 'closed';
  readonly head: { readonly ref: string; sha: string };
  readonly base: { readonly ref: string; sha: string };
  merged?: { readonly at: string; readonly by: string };
  /** Before the merge GitHub has the commit there with which it tries it. */
  merge_commit_sha: string;
  readonly reviews: GithubReview[];
  readonly comments: { readonly by: string; readonly type: 'User' | 'Bot'; readonly body: string }[];
}

export interface GithubReview {
  readonly by: string;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
  readonly commit_id: string;
}

const NewPull = z.strictObject({
  title: z.string().min(1),
  body: z.string().max(65_536),
  head: z.string(),
  base: z.string(),
});
const NewComment = z.strictObject({ body: z.string().min(1).max(65_536) });

const PageQuery = z.strictObject({
  per_page: z.coerce.number().int().min(1).max(100),
  page: z.coerce.number().int().min(1),
});
const PullsQuery = PageQuery.extend({
  state: z.enum(['open', 'closed', 'all']),
  sort: z.literal('updated'),
  direction: z.literal('desc'),
}).strict();

const IN = '^\\/repos\\/([^/]+\\/[^/]+)';

export const PULL_ROUTES: readonly GithubRoute[] = [
  {
    method: 'POST',
    path: new RegExp(`${IN}\\/pulls$`),
    body: NewPull,
    as: 'account',
    answer: (state, who, [path = ''], body) => open(state, who, path, body),
  },
  {
    method: 'GET',
    path: new RegExp(`${IN}\\/pulls\\?(.*)$`),
    as: 'account',
    answer: (state, who, [path = '', query = '']) => list(state, who, path, query),
  },
  {
    method: 'GET',
    path: new RegExp(`${IN}\\/pulls\\/(\\d+)\\/reviews\\?(.*)$`),
    as: 'account',
    answer: (state, who, parts) =>
      withPull(state, who, parts, ({ reviews }) => page(reviews.map(renderReview), PageQuery, parts[2] ?? '')),
  },
  {
    method: 'GET',
    path: new RegExp(`${IN}\\/issues\\/(\\d+)\\/comments\\?(.*)$`),
    as: 'account',
    answer: (state, who, parts) =>
      withPull(state, who, parts, ({ comments }) => page(comments.map(renderComment), PageQuery, parts[2] ?? '')),
  },
  {
    method: 'POST',
    path: new RegExp(`${IN}\\/issues\\/(\\d+)\\/comments$`),
    body: NewComment,
    as: 'account',
    answer: (state, who, parts, { body }: z.infer<typeof NewComment>) =>
      withPull(state, who, parts, ({ comments }) => {
        comments.push({ by: who?.login ?? '', type: who?.kind === 'installation' ? 'Bot' : 'User', body });
        return { status: 201, body: { id: comments.length, body } };
      }),
  },
];

function refusal(status: number, message: string, more: object = {}): GithubAnswer {
  return { status, body: { message, ...more, documentation_url: 'https://docs.github.com/rest', status: `${status}` } };
}

function open(
  state: GithubState,
  who: GithubAccount | undefined,
  path: string,
  body: z.infer<typeof NewPull>,
): GithubAnswer {
  const refused = mayUse(state, who, path);
  if (refused !== undefined) return refused;
  const pulls = state.pullsOf(path);
  const head = state.branches.get(`${path}:${body.head}`);
  const base = state.branches.get(`${path}:${body.base}`);
  const problem = (more: object) =>
    refusal(422, 'Validation Failed', { errors: [{ resource: 'PullRequest', ...more }] });
  if (head === undefined) return problem({ field: 'head', code: 'invalid' });
  if (base === undefined) return problem({ field: 'base', code: 'invalid' });
  if (pulls.some((one) => one.state === 'open' && one.head.ref === body.head)) {
    const message = `A pull request already exists for ${path.split('/')[0]}:${body.head}.`;
    return problem({ code: 'custom', message });
  }
  const pull: GithubPull = {
    number: pulls.length + 1,
    author: who?.login ?? '',
    title: body.title,
    body: body.body,
    state: 'open',
    head: { ref: body.head, sha: head },
    base: { ref: body.base, sha: base },
    merge_commit_sha: 'f'.repeat(40),
    reviews: [],
    comments: [],
  };
  pulls.push(pull);
  return { status: 201, body: whole(pull, path) };
}

function list(state: GithubState, who: GithubAccount | undefined, path: string, query: string): GithubAnswer {
  const refused = mayUse(state, who, path);
  if (refused !== undefined) return refused;
  const wanted = new URLSearchParams(query).get('state');
  const pulls = state.pullsOf(path).filter((one) => wanted === 'all' || one.state === wanted);
  return page(
    pulls.toReversed().map((one) => simple(one, path)),
    PullsQuery,
    query,
  );
}

function withPull(
  state: GithubState,
  who: GithubAccount | undefined,
  [path = '', number]: readonly string[],
  work: (pull: GithubPull, path: string) => GithubAnswer,
): GithubAnswer {
  const pull = state.pullsOf(path).find((one) => one.number === Number(number));
  const refused = mayUse(state, who, path);
  return refused ?? (pull === undefined ? refusal(404, 'Not Found') : work(pull, path));
}

function mayUse(state: GithubState, who: GithubAccount | undefined, path: string): GithubAnswer | undefined {
  const [owner = ''] = path.split('/');
  if (who?.scopes !== undefined && !who.scopes.includes('repo')) return refusal(404, 'Not Found');
  if (who?.lacks !== undefined) {
    return {
      ...refusal(403, 'Resource not accessible by personal access token'),
      headers: { 'x-accepted-github-permissions': who.lacks },
    };
  }
  const isMember = owner === who?.login || state.organizations.get(owner)?.includes(who?.login ?? '') === true;
  return state.repositories.has(path) && isMember ? undefined : refusal(404, 'Not Found');
}

/** A query that GitHub would not understand is a mistake of ours, so it is refused. */
function page(items: readonly object[], schema: z.ZodType, query: string): GithubAnswer {
  const parsed = schema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (!parsed.success) return refusal(422, `query: ${parsed.error.message}`);
  const { per_page, page: number } = parsed.data as z.infer<typeof PageQuery>;
  return { status: 200, body: items.slice((number - 1) * per_page, number * per_page) };
}

/** As it stands in lists: without who merged it. */
function simple(pull: GithubPull, path: string) {
  const { number, title, body, state, head, base, merged, merge_commit_sha } = pull;
  return {
    id: number,
    node_id: `PR_${path}_${number}`,
    html_url: `https://github.com/${path}/pull/${number}`,
    number,
    title,
    body,
    state,
    user: { login: pull.author, type: 'User' },
    head: { ...head, label: `${path.split('/')[0]}:${head.ref}` },
    base: { ...base, label: `${path.split('/')[0]}:${base.ref}` },
    merged_at: merged?.at ?? null,
    merge_commit_sha,
  };
}

function whole(pull: GithubPull, path: string) {
  const by = pull.merged === undefined ? null : { login: pull.merged.by, type: 'User' };
  return { ...simple(pull, path), merged: pull.merged !== undefined, merged_by: by };
}

function renderReview({ by, state, commit_id }: GithubReview, at: number) {
  return { id: at, node_id: `R_${at}`, user: { login: by, type: 'User' }, state, commit_id, body: '' };
}

function renderComment({ by, type, body }: GithubPull['comments'][number], at: number) {
  return { id: at, node_id: `C_${at}`, user: { login: by, type }, body };
}
