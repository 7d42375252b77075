import type { Dialect } from './pull-requests.ts';

export const githubDialect: Dialect = {
  prefix: '',
  pageLength: 'per_page',
  newestFirst: 'updated',
  adviceOf: (refusal) => {
    const scopes = refusal.scopes?.split(/[\s,]+/);
    if (scopes !== undefined && !scopes.includes('repo')) return 'give the token the scope "repo"';
    if (refusal.status !== 403 && refusal.status !== 404) return 'look at the pull request there';
    const permission = refusal.needs ?? 'pull_requests=write';
    return `the account needs the right to write there, a fine-grained token or GitHub App the permission ${permission}; give it`;
  },
};

export function giteaDialect(prefix: string): Dialect {
  return {
    prefix,
    pageLength: 'limit',
    newestFirst: 'recentupdate',
    adviceOf: (refusal) => {
      if (/scope/i.test(refusal.message)) return 'give the token the scopes "write:repository" and "write:issue"';
      if (refusal.status !== 403 && refusal.status !== 404) return 'look at the pull request there';
      return 'the account needs the right to write there, and the repository pull requests; give it';
    },
  };
}
