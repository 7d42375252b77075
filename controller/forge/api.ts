import { Octokit } from '@octokit/rest';
import type { Dispatcher } from 'undici';
import { boundedFetch } from './bounded-fetch.ts';
import { credentialsRefused, unreachable } from './errors.ts';
import { failureOf } from './failure.ts';
import { createMask } from './masking.ts';
import { isAnswered, meaningOf } from './meaning.ts';
import { Refusal } from './refusal.ts';

/** The `Authorization` header, and what of it must not be seen in anything that the server says. */
export interface Authorization {
  readonly header: string;
  readonly secrets: readonly string[];
}

export interface ApiOptions {
  /** With its path and without a slash at the end: `https://api.github.com`. */
  readonly baseUrl: string;
  readonly dispatcher: Dispatcher;
  /** Asked before every request, and once more with `renew` after a 401; undefined: nothing is sent. */
  readonly authorize: (how: {
    readonly renew: boolean;
    readonly signal: AbortSignal;
  }) => Promise<Authorization | undefined>;
  readonly headers?: Readonly<Record<string, string>>;
  /** For one exchange, in milliseconds; 30 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
/** Octokit writes refusals to the console otherwise. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Octokit whose requests go our way. They throw Refusal for 4xx, which is the caller's to interpret, and KeeperError for all else:
 * REMOTE_CREDENTIALS_REFUSED for a second 401, REMOTE_REFUSED (transient) when the forge wants us to wait, REMOTE_UNREACHABLE,
 * REMOTE_UNTRUSTED, REMOTE_REDIRECTED; aborting throws the signal's reason.
 */
export function openApi(options: ApiOptions): Octokit {
  const octokit = new Octokit({
    baseUrl: options.baseUrl,
    log: SILENT,
    request: { fetch: boundedFetch(options.dispatcher) },
  });
  octokit.hook.wrap('request', (request, endpoint) => new Exchange(options, request, endpoint).run());
  return octokit;
}

type Answer = Awaited<ReturnType<Octokit['request']>>;
type Endpoint = Required<Octokit['request']['endpoint']['DEFAULTS']>;
type Send = (endpoint: Endpoint) => Answer | Promise<Answer>;

/** One request with its time limit and at most one repetition. */
class Exchange {
  readonly #options: ApiOptions;
  readonly #request: Send;
  readonly #endpoint: Endpoint;
  readonly #limit: AbortSignal;
  /** Of the limit and of who asked. */
  readonly #signal: AbortSignal;
  /** A server may say the first one to the second. */
  readonly #shown: string[] = [];

  constructor(options: ApiOptions, request: Send, endpoint: Endpoint) {
    this.#limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
    const asked = endpoint.request?.signal as AbortSignal | undefined;
    this.#options = options;
    this.#request = request;
    this.#endpoint = endpoint;
    this.#signal = asked === undefined ? this.#limit : AbortSignal.any([asked, this.#limit]);
  }

  async run(): Promise<Answer> {
    try {
      return await this.#exchange();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
      const isTooLate = this.#signal.reason === this.#limit.reason;
      throw isTooLate ? unreachable(this.#options.baseUrl, 'it takes too long') : this.#signal.reason;
    }
  }

  async #exchange(): Promise<Answer> {
    const first = await this.#authorize(false);
    try {
      return await this.#send(first);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      const renewed = first === undefined ? undefined : await this.#authorize(true);
      if (renewed === undefined || renewed.header === first?.header) throw this.#refusedFor(error);
      return await this.#send(renewed).catch((again) => {
        throw isUnauthorized(again) ? this.#refusedFor(again) : again;
      });
    }
  }

  #authorize(renew: boolean): Promise<Authorization | undefined> {
    return this.#options.authorize({ renew, signal: this.#signal });
  }

  async #send(authorization: Authorization | undefined): Promise<Answer> {
    const { headers = {}, baseUrl } = this.#options;
    this.#shown.push(...(authorization?.secrets ?? []));
    const mask = createMask(this.#shown);
    // Octokit's own hooks hand on the object that they were given and nothing else.
    Object.assign(this.#endpoint.headers, headers, { 'user-agent': 'kubekeeper' });
    if (authorization !== undefined) this.#endpoint.headers.authorization = authorization.header;
    this.#endpoint.request.signal = this.#signal;
    try {
      return await this.#request(this.#endpoint);
    } catch (error) {
      throw isAnswered(error) ? meaningOf(baseUrl, error, mask) : failureOf(baseUrl, error, mask);
    }
  }

  #refusedFor(refusal: Refusal): Error {
    return credentialsRefused(this.#options.baseUrl, refusal);
  }
}

function isUnauthorized(error: unknown): error is Refusal {
  return error instanceof Refusal && error.status === 401;
}
