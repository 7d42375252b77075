import { gunzipSync } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { KeeperError } from '../errors.ts';
import type { Credentials } from './authenticate.ts';
import { type CredentialSource, openCredentials } from './credentials.ts';
import { type Asked, refusal, tooSlow, unreachable } from './errors.ts';
import { loadTarget } from './kubeconfig.ts';
import type { ConnectOptions, Target } from './target.ts';
import { checkTls, openTransport, type Transport } from './transport.ts';
import { type OpenSocket, upgrade } from './web-socket.ts';

export type { ConnectOptions } from './target.ts';

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** Who is impersonated stands in for whom the kubeconfig impersonates. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly signal?: AbortSignal;
  /** For the whole exchange; 60 s. */
  readonly timeoutMs?: number;
  /** `answer`: what the server refuses is an answer as well, but for refused credentials (401). */
  readonly refusals?: 'throw' | 'answer';
}

export interface StreamOptions {
  readonly signal: AbortSignal;
  readonly accept?: string;
  /** Until the answer begins; 30 s. How long it may fall silent after that is the caller's to decide. */
  readonly headersTimeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface StreamedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer>;
}

/** The way to one API server, shared by all who speak to it. Paths are sent exactly as given; redirects are refused. */
export interface Connection extends AsyncDisposable {
  readonly server: string;
  readonly context: string;
  /** Throws KeeperError for every answer but 2xx and 304, and when there is none; aborting throws the signal's reason. */
  request(path: string, options?: RequestOptions): Promise<Answer>;
  /** The bytes as they come; leaving the loop or aborting ends the request. Errors as with `request`, also in mid-body. */
  stream(path: string, options: StreamOptions): Promise<StreamedAnswer>;
}

/** A connection that WebSockets can be opened over. */
export interface UpgradingConnection extends Connection {
  /** Errors as with `request`. It was sent once, or refused credentials were renewed before. */
  webSocket(
    path: string,
    options: { readonly protocols: readonly string[]; readonly signal: AbortSignal },
  ): Promise<OpenSocket>;
}

/** Reads the kubeconfig and contacts nothing yet. Throws KeeperError KUBECONFIG_INVALID. */
export async function connect(options: ConnectOptions): Promise<UpgradingConnection> {
  const target = loadTarget(options);
  checkTls(target);
  const credentials = await openCredentials(target, () => loadTarget({ ...options, context: target.context }));
  return new ServerConnection(target, credentials, openTransport(target.cluster));
}

const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 30_000;

type Sending = RequestOptions & { readonly signal: AbortSignal; readonly headersTimeoutMs?: number };

class ServerConnection implements UpgradingConnection {
  readonly server: string;
  readonly context: string;
  readonly #origin: string;
  /** Some servers lie behind a path ('https://rancher/k8s/clusters/c-1'). */
  readonly #prefix: string;
  readonly #credentials: CredentialSource;
  readonly #transport: Transport;

  constructor(target: Target, credentials: CredentialSource, transport: Transport) {
    const url = new URL(target.cluster.server);
    this.server = target.cluster.server;
    this.context = target.context;
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/$/, '');
    this.#credentials = credentials;
    this.#transport = transport;
  }

  async request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const asked = this.#asked(path, options.method);
    const timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(tooSlow(asked, timeoutMs)), timeoutMs);
    const signal = options.signal === undefined ? deadline.signal : AbortSignal.any([options.signal, deadline.signal]);
    try {
      const response = await this.#send(asked, { ...options, signal });
      return { status: response.statusCode, headers: flatten(response.headers), text: await readText(response) };
    } catch (error) {
      throw failureOf(asked, signal, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async stream(path: string, options: StreamOptions): Promise<StreamedAnswer> {
    const asked = this.#asked(path);
    const { signal, headersTimeoutMs = HEADERS_TIMEOUT_MS } = options;
    try {
      const response = await this.#send(asked, { ...options, headersTimeoutMs });
      const body = readBytes(asked, signal, response.body);
      return { status: response.statusCode, headers: flatten(response.headers), body };
    } catch (error) {
      throw failureOf(asked, signal, error);
    }
  }

  async webSocket(
    path: string,
    options: { readonly protocols: readonly string[]; readonly signal: AbortSignal },
  ): Promise<OpenSocket> {
    const asked = this.#asked(path);
    const deadline = AbortSignal.timeout(HEADERS_TIMEOUT_MS);
    const signal = AbortSignal.any([options.signal, deadline]);
    const open = (credentials: Credentials) =>
      upgrade({
        url: `${this.#origin}${this.#prefix}${path}`,
        protocols: options.protocols,
        dispatcher: this.#transport.dispatcherFor(credentials),
        headers: { 'user-agent': 'kubekeeper', ...credentials.headers },
        signal,
      });
    try {
      const credentials = await this.#credentials.get();
      let opened = await open(credentials);
      if (!opened.isOpen && opened.status === 401) {
        const renewed = await this.#credentials.renew(credentials);
        if (renewed !== credentials) opened = await open(renewed);
      }
      if (opened.isOpen) return opened;
      if (opened.status === undefined) throw unreachable(asked, opened.cause);
      // The reason of a refused upgrade is lost; the same without one is refused with words.
      const { status, headers, text } = await this.request(path, { signal, refusals: 'answer' });
      if (status !== 400 || !/upgrade/i.test(text)) throw refusal(asked, status, headers, text);
      throw unreachable(asked, new Error(`it, or what stands before it, lets no WebSocket through (${opened.status})`));
    } catch (error) {
      if (deadline.aborted && !options.signal.aborted) throw tooSlow(asked, HEADERS_TIMEOUT_MS);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close();
  }

  /** Credentials that the server refuses are renewed once before the refusal counts. */
  async #send(asked: Asked, options: Sending): Promise<Dispatcher.ResponseData> {
    const credentials = await this.#credentials.get();
    const response = await this.#dispatch(asked, options, credentials);
    const accept = options.refusals === 'answer' ? answered : accepted;
    if (response.statusCode !== 401) return accept(asked, response);
    const refused = refusal(asked, 401, flatten(response.headers), await readText(response));
    const renewed = await this.#credentials.renew(credentials);
    if (renewed === credentials) throw refused;
    return accept(asked, await this.#dispatch(asked, options, renewed));
  }

  #dispatch(
    asked: Asked,
    options: Sending,
    credentials: Awaited<ReturnType<CredentialSource['get']>>,
  ): Promise<Dispatcher.ResponseData> {
    return this.#transport.dispatcherFor(credentials).request({
      origin: this.#origin,
      path: `${this.#prefix}${asked.path}`,
      method: options.method ?? 'GET',
      body: options.body ?? null,
      headers: {
        accept: options.accept ?? 'application/json',
        'user-agent': 'kubekeeper',
        ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
        ...headersOf(options.headers ?? {}, credentials.headers),
      },
      signal: options.signal,
      headersTimeout: options.headersTimeoutMs ?? 0,
    });
  }

  #asked(path: string, method = 'GET'): Asked {
    return { method, path, server: this.server };
  }
}

/** The response when it is a good one; else its refusal is thrown. */
async function accepted(asked: Asked, response: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
  const { statusCode } = response;
  if ((statusCode >= 200 && statusCode < 300) || statusCode === 304) return response;
  throw refusal(asked, statusCode, flatten(response.headers), await readText(response));
}

async function answered(asked: Asked, response: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
  return response.statusCode === 401 ? accepted(asked, response) : response;
}

/** Groups of one user must never go with the name of another. */
function headersOf(
  own: NonNullable<RequestOptions['headers']>,
  credentials: Awaited<ReturnType<CredentialSource['get']>>['headers'],
): Record<string, string | string[]> {
  if (own['impersonate-user'] === undefined) return { ...own, ...credentials };
  const kept = Object.entries(credentials).filter(([name]) => !name.toLowerCase().startsWith('impersonate-'));
  return { ...Object.fromEntries(kept), ...own };
}

async function readText(response: Dispatcher.ResponseData): Promise<string> {
  if (response.headers['content-encoding'] !== 'gzip') return response.body.text();
  return gunzipSync(await response.body.bytes()).toString();
}

async function* readBytes(asked: Asked, signal: AbortSignal, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw failureOf(asked, signal, error);
  }
}

/** What to throw: the reason of an abort and what is translated already pass through. */
function failureOf(asked: Asked, signal: AbortSignal, error: unknown): unknown {
  if (signal.aborted) return signal.reason;
  return error instanceof KeeperError ? error : unreachable(asked, error);
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
}
