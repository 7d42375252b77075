import type { Octokit } from '@octokit/rest';
import { isJsonObject, type Json, stringAt } from '../core/object.ts';
import type { PullRequest, PullRequests } from '../core/ports.ts';
import type { RemotePlace } from '../core/remote.ts';
import { nonsense, refused } from './errors.ts';
import { ownLogin } from './own-account.ts';
import { type Placement, placementOf } from './placement.ts';
import { readComment, readOpened, readPull, readReviews } from './pull-request-answers.ts';
import { Refusal } from './refusal.ts';

/** What GitHub and Gitea have not in common in their pull requests, which is little. */
export interface Dialect {
  /** The path that the forge is served at, '' for the root. */
  readonly prefix: string;
  /** What the query calls the length of a page. */
  readonly pageLength: 'per_page' | 'limit';
  /** How it spells the order in which what was touched last comes first. */
  readonly newestFirst: string;
  /** What the account lacks. */
  adviceOf(refusal: Refusal): string;
}

/** Each may hold a body of 64 KiB, and an answer must stay below what boundedFetch takes. */
const PAGE = 10;
const MOST_PAGES = 30;

const PULLS = '/repos/{owner}/{repo}/pulls';
const PULL = `${PULLS}/{number}`;
const COMMENTS = '/repos/{owner}/{repo}/issues/{number}/comments';

export function pullRequestsOf(api: Octokit, dialect: Dialect): PullRequests {
  return {
    open: (place, request, { signal }) => new Calls(api, dialect, place, signal).open(request),
    find: (place, wanted, { signal }) => new Calls(api, dialect, place, signal).find(wanted),
    reviews: (place, number, { signal }) => new Calls(api, dialect, place, signal).reviews(number),
    comments: (place, number, { signal }) => new Calls(api, dialect, place, signal).comments(number),
    comment: (place, number, body, { signal }) =>
      new Calls(api, dialect, place, signal).send('comment on a pull request of', `POST ${COMMENTS}`, { number, body }),
  };
}

/** Calls about one repository, with one signal. */
class Calls {
  readonly #api: Octokit;
  readonly #dialect: Dialect;
  readonly #place: RemotePlace;
  readonly #signal: AbortSignal | undefined;
  readonly #at: Placement;

  constructor(api: Octokit, dialect: Dialect, place: RemotePlace, signal: AbortSignal | undefined) {
    this.#api = api;
    this.#dialect = dialect;
    this.#place = place;
    this.#signal = signal;
    this.#at = placementOf(place, dialect.prefix);
  }

  async open(request: Parameters<PullRequests['open']>[1]): ReturnType<PullRequests['open']> {
    try {
      const opened = readOpened(await this.#ask(`POST ${PULLS}`, { ...request }));
      if (opened === undefined) throw nonsense(this.#place.origin);
      return opened;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const open = error.status === 409 || error.status === 422 ? await this.#findOpen(request.head) : undefined;
      if (open === undefined) throw this.#refused('open a pull request in', error);
      return { number: open.number, url: open.url };
    }
  }

  async #findOpen(branch: string): Promise<PullRequest | undefined> {
    const found = await this.find({ prefix: branch, state: 'open' });
    return found.find((one) => one.branch === branch);
  }

  async find({ prefix, state }: Parameters<PullRequests['find']>[1]): Promise<readonly PullRequest[]> {
    const query = { state: state === 'open' ? 'open' : 'closed', sort: this.#dialect.newestFirst, direction: 'desc' };
    const all = await this.#pages('list the pull requests of', `GET ${PULLS}`, query);
    return all
      .flatMap((one) => readPull(one) ?? [])
      .filter((one) => one.state === state && one.branch.startsWith(prefix));
  }

  async reviews(number: number): ReturnType<PullRequests['reviews']> {
    return readReviews(await this.#pages('show the reviews of a pull request of', `GET ${PULL}/reviews`, { number }));
  }

  async comments(number: number): ReturnType<PullRequests['comments']> {
    const self = await ownLogin(this.#api, this.#place.origin, this.#signal);
    const all = await this.#pages('show the comments on a pull request of', `GET ${COMMENTS}`, { number });
    return all.flatMap((one) => readComment(one, self) ?? []);
  }

  async send(doing: string, route: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#orRefused(doing, () => this.#ask(route, parameters));
  }

  /** Until one is not full; a forge may have lowered the length of a page. */
  async #pages(doing: string, route: string, query: Readonly<Record<string, unknown>>): Promise<readonly Json[]> {
    const all: Json[] = [];
    const seen = new Set<string>();
    for (let page = 1; page <= MOST_PAGES; page++) {
      const parameters = { ...query, [this.#dialect.pageLength]: PAGE, page };
      const items = await this.#orRefused(doing, () => this.#ask(route, parameters));
      if (!Array.isArray(items)) throw nonsense(this.#place.origin);
      // Some lists of Gitea know no pages and answer the same each time.
      const fresh = items.filter((one) => !seen.has(identityOf(one)));
      for (const one of fresh) seen.add(identityOf(one));
      all.push(...fresh);
      if (fresh.length === 0 || items.length < PAGE) break;
    }
    return all;
  }

  async #orRefused<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof Refusal ? this.#refused(doing, error) : error;
    }
  }

  async #ask(route: string, parameters: Readonly<Record<string, unknown>>): Promise<Json> {
    const { data } = await this.#api.request(route, {
      ...this.#at,
      ...parameters,
      ...(this.#signal === undefined ? {} : { request: { signal: this.#signal } }),
    });
    return data as Json;
  }

  #refused(doing: string, refusal: Refusal): Error {
    return refused(doing, this.#place, refusal, this.#dialect.adviceOf(refusal));
  }
}

function identityOf(item: Json): string {
  const id = isJsonObject(item) ? item['id'] : undefined;
  return stringAt(item, 'node_id') ?? `${id ?? JSON.stringify(item)}`;
}
