import { arrayAt, isJsonObject, type Json, stringAt } from '../core/object.ts';
import type { Dialect } from './pull-requests.ts';

const LABELS = '/repos/{owner}/{repo}/labels';
const LABELS_OF = '/repos/{owner}/{repo}/issues/{number}/labels';
/** Of a label that is made; GitHub chooses one itself. */
const COLOUR = '#0e8a16';

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
  label: async (api, at, name, signal) => {
    await api.request(`POST ${LABELS_OF}`, { ...at, labels: [name], ...abortedBy(signal) });
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
    label: async (api, { owner, repo, number }, name, signal) => {
      const at = { owner, repo, ...abortedBy(signal) };
      const answer = await api.request(`GET ${LABELS}`, { ...at, limit: 50 });
      const known = arrayAt({ labels: answer.data as unknown as Json }, 'labels').find((one) => isNamed(one, name));
      const made = { name, color: COLOUR, description: 'kubekeeper' };
      const label = known ?? ((await api.request(`POST ${LABELS}`, { ...at, ...made })).data as unknown as Json);
      const id = isJsonObject(label) ? label['id'] : undefined;
      await api.request(`POST ${LABELS_OF}`, { ...at, number, labels: [id] });
    },
  };
}

function isNamed(label: Json, name: string): boolean {
  return stringAt(label, 'name') === name;
}

function abortedBy(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { request: { signal } };
}
