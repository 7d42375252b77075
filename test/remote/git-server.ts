/**
 * A real Git server for tests: `git http-backend` behind HTTP or HTTPS on loopback, streaming both ways. What it stores
 * is judged with the real Git; what goes wrong is switched on and off while it runs.
 *
 *   await using server = await startGitServer({ tls: true, auth: { token: 'secret' } });
 *   const { place, url, directory } = server.createRepository('ops/prod-shop');  // ops/prod-shop.git, empty, bare
 *   server.git('ops/prod-shop', 'log', '--oneline', 'main');                     // the real Git, in the repository
 *   server.requests                                    // all that arrived, oldest first; grows while it runs
 *   await server.arrival(({ path }) => path.endsWith('/git-receive-pack'));      // the next one that matches
 *   const fault = server.add({ do: 'status', status: 503, retryAfterSeconds: 7 });
 *   fault.hits; fault.remove(); server.clear();        // `add` takes what a request must match: see Fault
 *   await server.stop();  await server.start();        // refuses connections; comes back on the same port
 *   server.mute();  server.unmute();                   // accepts connections and says nothing, not even TLS
 *   server.auth = { token: 'renewed' };                // whoever shows the old one gets 401
 *
 * Faults (`add`): status, redirect, hang, choke, slow, cut-request, cut-response, stall-response, answer, no-space;
 * see git-server-fault.ts. For the code under test `server.place(name)` is the RemotePlace and `server.authority` the CA in
 * PEM. Somebody else who works with the same remote is a GitClient (git-client.ts).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import type { RemotePlace } from '../../controller/core/remote.ts';
import { answerRequest } from './git-answer.ts';
import { CLEAN_ENVIRONMENT } from './git-backend.ts';
import { type GitListener, listen } from './git-listener.ts';
import { type AddedGitFault, type GitAction, type GitFaultMatch, GitFaults } from './git-server-fault.ts';
import { holdFolder } from './held-folder.ts';
import { serverTls, type TlsVariant } from './server-certificates.ts';

export type GitServerAuth =
  | { readonly username: string; readonly password: string }
  /** As a password for any user, or after `Bearer`. */
  | { readonly token: string };

export interface GitServerOptions {
  /** Plain HTTP without it. */
  readonly tls?: true | TlsVariant;
  /** Everybody may read and write without it. */
  readonly auth?: GitServerAuth;
}

/** One request that arrived; its counts grow while it is answered. */
export interface GitRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly hasAuthorization: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of the body, as it came. */
  readonly bytesIn: number;
  /** Of the answer's body. */
  readonly bytesOut: number;
  /** 0 while there is none. */
  readonly status: number;
  /** Resolves when the answer was sent, or the connection has ended. */
  readonly ended: Promise<void>;
}

export interface CreatedRepository {
  readonly url: string;
  /** Where it lies, to be looked at with the real Git. */
  readonly directory: string;
  readonly place: RemotePlace;
}

export interface GitServer extends AsyncDisposable, Pick<GitListener, 'port' | 'stop' | 'start' | 'mute' | 'unmute'> {
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string;
  /** GIT_PROJECT_ROOT. */
  readonly directory: string;
  /** The CA of the server's certificate, PEM; '' without TLS. */
  readonly authority: string;
  /** May be changed at any time; undefined lets everybody in. */
  auth: GitServerAuth | undefined;
  readonly requests: readonly GitRequest[];
  /** What the backends wrote to their standard error. */
  readonly log: string;
  /** An empty bare one with the branch `main`; `hooks` are shell scripts by name, `config` settings by name. */
  createRepository(name: string, options?: RepositoryOptions): CreatedRepository;
  removeRepository(name: string): void;
  /** What points to NAME.git, whether it exists or not. */
  place(name: string): RemotePlace;
  /** The real Git in a repository; answers what it prints. */
  git(name: string, ...args: string[]): string;
  /** For requests that come later; of several that match a request, the first added hits it. */
  add(action: GitAction, match?: GitFaultMatch): AddedGitFault;
  /** Removes every fault; what has been hit already stays so. */
  clear(): void;
  /** The next request that matches and arrives from now on. */
  arrival(predicate?: (request: GitRequest) => boolean): Promise<GitRequest>;
}

export interface RepositoryOptions {
  /** `{ 'pre-receive': 'echo no >&2; exit 1' }` */
  readonly hooks?: Readonly<Record<string, string>>;
  /** `{ 'receive.denyNonFastForwards': 'true' }` */
  readonly config?: Readonly<Record<string, string>>;
}

export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const tls = options.tls === undefined ? undefined : serverTls(options.tls === true ? 'good' : options.tls);
  const server: Server = tls === undefined ? createHttpServer() : createHttpsServer(tls.options);
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.keepAliveTimeout = 600_000;
  const listener = await listen(server);
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${listener.port}`;
  return new RunningServer(server, listener, { url, authority: tls?.authority ?? '', auth: options.auth });
}

class RunningServer implements GitServer {
  readonly url: string;
  readonly authority: string;
  readonly #folder = holdFolder('kubekeeper-remote-');
  readonly directory = this.#folder.path;
  readonly requests: GitRequest[] = [];
  auth: GitServerAuth | undefined;
  log = '';
  readonly #listener: GitListener;
  readonly #faults = new GitFaults();
  readonly #waiting = new Set<(request: GitRequest) => void>();
  readonly #endings = new Set<() => Promise<void>>();

  constructor(
    server: Server,
    listener: GitListener,
    set: { readonly url: string; readonly authority: string; readonly auth: GitServerAuth | undefined },
  ) {
    this.#listener = listener;
    this.url = set.url;
    this.authority = set.authority;
    this.auth = set.auth;
    server.on('request', (request: IncomingMessage, response) => {
      const answering = answerRequest(this, this.#faults, request, response);
      this.requests.push(answering.request);
      for (const notice of this.#waiting) notice(answering.request);
      this.#endings.add(answering.end);
      void answering.request.ended.then(() => this.#endings.delete(answering.end));
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  start(): Promise<void> {
    return this.#listener.start();
  }

  mute(): void {
    this.#listener.mute();
  }

  unmute(): void {
    this.#listener.unmute();
  }

  createRepository(name: string, options: RepositoryOptions = {}): CreatedRepository {
    const directory = this.#directoryOf(name);
    mkdirSync(directory, { recursive: true });
    this.git(name, 'init', '--quiet', '--bare', '--initial-branch=main');
    for (const [key, value] of Object.entries(options.config ?? {})) this.git(name, 'config', key, value);
    for (const [hook, script] of Object.entries(options.hooks ?? {})) {
      const path = join(directory, 'hooks', hook);
      mkdirSync(join(directory, 'hooks'), { recursive: true });
      writeFileSync(path, `#!/bin/sh\n${script}\n`);
      chmodSync(path, 0o755);
    }
    const place = this.place(name);
    return { url: place.url, directory, place };
  }

  removeRepository(name: string): void {
    rmSync(this.#directoryOf(name), { recursive: true });
  }

  place(name: string): RemotePlace {
    const parts = name.split('/');
    const last = parts.pop() ?? '';
    return { url: `${this.url}/${name}.git`, origin: this.url, owner: parts.join('/'), name: last };
  }

  git(name: string, ...args: string[]): string {
    return execFileSync('git', ['-C', this.#directoryOf(name), ...args], {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: CLEAN_ENVIRONMENT,
    });
  }

  add(action: GitAction, match?: GitFaultMatch): AddedGitFault {
    return this.#faults.add(action, match);
  }

  clear(): void {
    this.#faults.clear();
  }

  arrival(predicate: (request: GitRequest) => boolean = () => true): Promise<GitRequest> {
    return new Promise((resolve) => {
      const notice = (request: GitRequest) => {
        if (!predicate(request)) return;
        this.#waiting.delete(notice);
        resolve(request);
      };
      this.#waiting.add(notice);
    });
  }

  /** The backends end with it, then the folder goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.stop();
    await Promise.all([...this.#endings].map((end) => end()));
    this.#folder[Symbol.dispose]();
  }

  #directoryOf(name: string): string {
    return join(this.directory, `${name}.git`);
  }
}
