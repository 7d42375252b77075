import { type Dispatcher, fetch, type RequestInit, Response } from 'undici';

/** The server leads to another address; where to is its own words, which are not masked yet. */
export class LedAway extends Error {
  readonly target: string;

  constructor(target: string) {
    super('it leads to another address');
    this.name = 'LedAway';
    this.target = target;
  }
}

/** Answers of the few calls that are made are some kilobytes. */
const LONGEST_ANSWER = 2 * 2 ** 20;
const MOST_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/**
 * The `fetch` that octokit is given: through our dispatcher, whole answers of bounded length, so that one that breaks off is a failure
 * (octokit takes it for an empty one), and redirects only to the same origin, where GitHub wants the request repeated as it was.
 * Throws LedAway, and what undici throws.
 */
export function boundedFetch(dispatcher: Dispatcher): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    const { origin } = new URL(url);
    for (let target = url, hops = 0; ; hops++) {
      const response = await fetch(target, { ...init, dispatcher, redirect: 'manual' });
      if (!REDIRECTS.has(response.status)) return whole(response);
      await response.body?.cancel();
      const next = parse(response.headers.get('location'), target);
      if (next?.origin !== origin || hops === MOST_REDIRECTS) throw new LedAway(next?.origin ?? 'nowhere');
      target = next.href;
    }
  };
}

async function whole(response: Response): Promise<Response> {
  const { status, headers } = response;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += (chunk as Uint8Array).length;
    if (length > LONGEST_ANSWER) throw new Error('its answer is too long');
    chunks.push(chunk as Uint8Array);
  }
  // The constructor takes no body, not even an empty one, for these.
  return new Response(status === 204 || status === 205 || status === 304 ? null : Buffer.concat(chunks), {
    status,
    headers,
  });
}

function parse(location: string | null, base: string): URL | undefined {
  return location !== null && URL.canParse(location, base) ? new URL(location, base) : undefined;
}
