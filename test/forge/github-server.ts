import { verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../cluster/certificates.ts';
import { type GithubAnswer, type GithubRoute, ROUTES, refusal } from './github-routes.ts';
import { type GithubAccount, GithubState } from './github-state.ts';

/**
 * Stands in for GitHub, which tests cannot reach: takes only requests that are exactly as GitHub's documentation wants them, and
 * answers as it says. `github.com` has its API at a host of its own, `enterprise` below /api/v3.
 */
export type GithubLayout = 'github.com' | 'enterprise';

export interface GithubServer extends AsyncDisposable {
  readonly state: GithubState;
  readonly port: number;
  /** The authority of its certificate, PEM. */
  readonly authority: string;
  /** `METHOD PATH` of all that arrived. */
  readonly requests: readonly string[];
  /** What was wrong with requests; a test expects none. */
  readonly violations: readonly string[];
  /** Instead of the answer to the next request. */
  next(answer: GithubAnswer): void;
}

export async function startGithubServer(layout: GithubLayout): Promise<GithubServer> {
  const state = new GithubState();
  const authority = createAuthority('kubekeeper-test-github');
  const hosts = layout === 'github.com' ? ['api.github.com'] : ['127.0.0.1'];
  const { certificate, key } = authority.issueServer('github', hosts);
  const [requests, violations, prepared]: [string[], string[], GithubAnswer[]] = [[], [], []];
  const server = createServer({ cert: certificate, key }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push(`${request.method} ${request.url}`);
    const check = new Check(layout, request, Buffer.concat(chunks).toString());
    const answer = check.answer(state, prepared);
    violations.push(...check.violations.map((what) => `${request.method} ${request.url}: ${what}`));
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=utf-8',
      date: new Date(state.now()).toUTCString(),
      'x-github-request-id': 'B0B0:1',
      'x-github-media-type': 'github.v3; format=json',
      ...(layout === 'enterprise' ? { 'x-github-enterprise-version': 'enterprise-server@3.19.0' } : {}),
      ...(check.scopes === undefined ? {} : { 'x-oauth-scopes': check.scopes }),
      ...answer.headers,
    });
    response.end(JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    state,
    port: (server.address() as AddressInfo).port,
    authority: authority.certificate,
    requests,
    violations,
    next: (answer) => void prepared.push(answer),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** One request, looked at from all sides. */
class Check {
  readonly violations: string[] = [];
  scopes: string | undefined;
  readonly #layout: GithubLayout;
  readonly #request: IncomingMessage;
  readonly #text: string;

  constructor(layout: GithubLayout, request: IncomingMessage, text: string) {
    this.#layout = layout;
    this.#request = request;
    this.#text = text;
  }

  answer(state: GithubState, prepared: GithubAnswer[]): GithubAnswer {
    const found = this.#findRoute();
    if (found === undefined) return refusal(404, 'Not Found');
    const { route, parts } = found;
    this.#checkHeaders();
    const body = this.#parseBody(route);
    const instead = prepared.shift();
    if (instead !== undefined) return instead;
    if (this.violations.length > 0) return refusal(400, 'Problems with the request', { errors: this.violations });
    const token = /^Bearer (\S+)$/.exec(this.#header('authorization'))?.[1];
    if (route.as === 'app') {
      const problem = this.#problemOf(token ?? '', state);
      return problem === undefined ? route.answer(state, undefined, parts, body) : refusal(401, problem);
    }
    const who = token === undefined ? undefined : state.accounts.get(token);
    if (who === undefined && (route.as === 'account' || token !== undefined)) return refusal(401, 'Bad credentials');
    this.scopes = scopesOf(who);
    return route.answer(state, who, parts, body);
  }

  /** GitHub Enterprise answers to what it does not know, such as a Gitea's path, with 404; anything else unknown is our mistake. */
  #findRoute(): { route: GithubRoute; parts: string[] } | undefined {
    const url = this.#request.url ?? '';
    const prefix = this.#layout === 'enterprise' ? '/api/v3' : '';
    if (this.#layout === 'enterprise' && url === '/api/v1/version') return undefined;
    for (const route of ROUTES) {
      const match = url.startsWith(`${prefix}/`) ? route.path.exec(url.slice(prefix.length)) : null;
      if (match !== null && route.method === this.#request.method) return { route, parts: match.slice(1) };
    }
    this.violations.push('there is no such route');
    return undefined;
  }

  #checkHeaders(): void {
    const isProbe = this.#request.url?.endsWith('/meta') === true;
    if (this.#header('user-agent') === '') this.violations.push('no user-agent, which GitHub wants');
    if (!isProbe && this.#header('x-github-api-version') !== '2022-11-28')
      this.violations.push('no x-github-api-version');
    if (!/^application\/vnd\.github(?:\.v3)?\+json$/.test(this.#header('accept')))
      this.violations.push('another accept');
    const host = this.#layout === 'github.com' ? 'api.github.com' : `127.0.0.1:${this.#request.socket.localPort}`;
    if (this.#header('host') !== host) this.violations.push(`host ${this.#header('host')}`);
    if (isProbe) return;
    if (!/^Bearer \S+$/.test(this.#header('authorization'))) this.violations.push('authorization is no bearer token');
  }

  #parseBody(route: GithubRoute): never {
    if (route.body === undefined) {
      if (this.#text !== '') this.violations.push('a body that is not wanted');
      return undefined as never;
    }
    if (!this.#header('content-type').startsWith('application/json')) this.violations.push('content-type is not JSON');
    const parsed = route.body.safeParse(JSON.parse(this.#text));
    if (!parsed.success) this.violations.push(`body: ${parsed.error.message}`);
    return parsed.data as never;
  }

  /** GitHub's words to a JWT that it does not take. */
  #problemOf(jwt: string, { appId, appKey, now }: GithubState): string | undefined {
    const [header = '', claims = '', signature = ''] = jwt.split('.');
    const isSigned = verify(
      'sha256',
      Buffer.from(`${header}.${claims}`),
      appKey.publicKey,
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) return 'A JSON web token could not be decoded';
    const { iat, exp, iss, ...others } = decode(claims);
    const { alg, typ, ...rest } = decode(header);
    if (alg !== 'RS256' || typ !== 'JWT' || Object.keys({ ...others, ...rest }).length > 0)
      this.violations.push('the JWT is another');
    const seconds = now() / 1000;
    if (typeof exp !== 'number' || exp < seconds)
      return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
    if (exp > seconds + 600) return "'Expiration time' claim ('exp') is too far in the future";
    if (typeof iat !== 'number' || iat > seconds)
      return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
    return iss === appId ? undefined : 'Integration not found';
  }

  #header(name: string): string {
    return String(this.#request.headers[name] ?? '');
  }
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}

/** '' for a classic token without any; other tokens have no such header. */
function scopesOf(who: GithubAccount | undefined): string | undefined {
  return who?.kind === 'classic' ? (who.scopes ?? ['repo', 'user']).join(', ') : undefined;
}
