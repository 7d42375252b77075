/** Where the API of the GitHub that serves `origin` is: github.com, a company's own name under ghe.com, or a GitHub Enterprise Server. */
export function githubAddress(origin: string): string {
  const { host } = new URL(origin);
  return isGithubCom(origin) ? `https://api.${host.replace(/^www\./, '')}` : `${origin}/api/v3`;
}

/** Names that are known to be GitHub's. */
export function isGithubCom(origin: string): boolean {
  const { protocol, host } = new URL(origin);
  return protocol === 'https:' && /^(?:(?:www\.)?github\.com|[a-z0-9-]+\.ghe\.com)$/.test(host);
}

/** The version that our calls are written for (docs.github.com, "API Versions"). */
export const GITHUB_HEADERS = { 'x-github-api-version': '2022-11-28', accept: 'application/vnd.github+json' } as const;
