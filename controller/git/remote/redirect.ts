import { redirected } from './errors.ts';
import type { Remote } from './transport.ts';

/** Renamed repositories are redirected once or twice; more is a circle. */
export const MOST_HOPS = 4;

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * Where the list of refs is to be found now. Only the same origin is followed, and only to a list of refs: what comes
 * after goes to that repository. Throws REMOTE_REDIRECTED for everything else, before anything is sent there.
 */
export function followRedirect(remote: Remote, from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) throw redirected(remote, location);
  const to = new URL(location, from);
  const isSafe =
    to.origin === new URL(remote.place.url).origin &&
    to.username === '' &&
    to.password === '' &&
    to.search === from.search &&
    to.pathname.endsWith('/info/refs');
  if (!isSafe) throw redirected(remote, to.href);
  return to;
}
