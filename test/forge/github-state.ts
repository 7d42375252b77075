import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { GithubPull } from './github-pulls.ts';
import type { GithubAnswer } from './github-routes.ts';

export interface GithubAccount {
  readonly login: string;
  readonly kind: 'classic' | 'fine-grained' | 'installation';
  /** Of a classic token: what GitHub tells in X-OAuth-Scopes. */
  readonly scopes?: readonly string[];
  /** A permission that the token was not given, as GitHub names it. */
  readonly lacks?: string;
}

export interface GithubRepository {
  readonly isPrivate: boolean;
  readonly description: string;
  /** Whether there is a branch `main`. */
  isPushed: boolean;
  protection?: { readonly allow_force_pushes: boolean; readonly allow_deletions: boolean };
}

/** What the GitHub of one test holds; it may be changed at any time. */
export class GithubState {
  /** By token. */
  readonly accounts = new Map<string, GithubAccount>();
  /** Those who may make repositories, by organization. */
  readonly organizations = new Map<string, readonly string[]>();
  /** By `OWNER/NAME`. */
  readonly repositories = new Map<string, GithubRepository>();
  /** Commits by `OWNER/NAME:BRANCH`. */
  readonly branches = new Map<string, string>();
  readonly #pulls = new Map<string, GithubPull[]>();
  /** Whether the plan offers protected branches for private repositories. */
  hasProtection = true;
  readonly appId = '12345';
  readonly appKey = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly installationId = 67_890;
  /** Where the App is installed. */
  installedIn: { readonly place: 'orgs' | 'users'; readonly owner: string } = { place: 'orgs', owner: 'ops' };
  /** Of the tokens that are given out. */
  tokenLifetimeMs = 3_600_000;
  tokensGiven = 0;
  /** What the server takes for now. */
  now = (): number => Date.now();

  /** Of `OWNER/NAME`, by number from 1. */
  pullsOf(path: string): GithubPull[] {
    const pulls = this.#pulls.get(path) ?? [];
    this.#pulls.set(path, pulls);
    return pulls;
  }

  /** A token for an account: `ghp_...` or `github_pat_...`. */
  addToken(account: GithubAccount): string {
    const token = `${account.kind === 'classic' ? 'ghp' : 'github_pat'}_${randomBytes(18).toString('hex')}`;
    this.accounts.set(token, account);
    return token;
  }

  /** The answer to an App that proved itself. */
  issueToken(): GithubAnswer {
    this.tokensGiven++;
    const token = `ghs_${randomBytes(18).toString('hex')}`;
    this.accounts.set(token, { login: `${this.appId}[bot]`, kind: 'installation' });
    const owners = this.organizations.get(this.installedIn.owner) ?? [];
    this.organizations.set(this.installedIn.owner, [...owners, `${this.appId}[bot]`]);
    const expires_at = new Date(this.now() + this.tokenLifetimeMs).toISOString().replace(/\.\d+Z$/, 'Z');
    const body = {
      token,
      expires_at,
      permissions: { administration: 'write', contents: 'write' },
      repository_selection: 'all',
    };
    return { status: 201, body };
  }
}
