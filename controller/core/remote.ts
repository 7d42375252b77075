import { KeeperError } from '../errors.ts';

/** Where repositories are pushed: one URL for all, with a place for the cluster's and the repository's name. */

export interface RemotePlace {
  /** As Git takes it; never with a user or a password in it. */
  readonly url: string;
  /** Scheme, host and port: credentials go nowhere else. */
  readonly origin: string;
  /** The path before the last part: owner, organisation or folders; '' when there is none. */
  readonly owner: string;
  /** The last part of the path without `.git`. */
  readonly name: string;
}

export interface RemoteTemplate {
  readonly origin: string;
  /** `repository` is the name of ours: a namespace, `_cluster`, or a namespace with the mark of its line. */
  place(names: { readonly cluster: string; readonly repository: string }): RemotePlace;
}

const PLACEHOLDER = /\{([^{}]*)\}/g;

/**
 * Reads `https://HOST/PATH/{cluster}-{namespace}.git`. Throws KeeperError REMOTE_INVALID: a user or password in it, another scheme than
 * http(s), no `{namespace}`, an unknown placeholder, a query. Plain http is for loopback only: it would show credentials and contents.
 */
export function parseRemoteTemplate(text: string): RemoteTemplate {
  const url = parseUrl(text);
  if (url.username !== '' || url.password !== '') {
    throw invalid('it holds a user or a password, give them with --remote-credentials');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw invalid(`"${url.protocol}//" is not http or https`);
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw invalid('plain http would show credentials and contents to the network, use https');
  }
  if (url.search !== '' || url.hash !== '') throw invalid('it has a query or a fragment');
  const placeholders = [...text.matchAll(PLACEHOLDER)].map((match) => match[1] as string);
  const unknown = placeholders.find((one) => one !== 'cluster' && one !== 'namespace');
  if (unknown !== undefined) throw invalid(`{${unknown}} is neither {cluster} nor {namespace}`);
  if (!/\{namespace\}[^/]*$/.test(text))
    throw invalid('its last part must hold {namespace}: each namespace has a repository of its own');
  if (text.slice(0, text.indexOf('/', 8)).search(PLACEHOLDER) >= 0)
    throw invalid('its host must not hold a placeholder');
  return { origin: url.origin, place: (names) => placeOf(text, names) };
}

function placeOf(template: string, names: { readonly cluster: string; readonly repository: string }): RemotePlace {
  const text = template.replaceAll('{cluster}', names.cluster).replaceAll('{namespace}', names.repository);
  const { origin, pathname } = new URL(text);
  const parts = pathname.split('/').filter((part) => part !== '');
  const last = parts.pop() ?? '';
  return { url: `${origin}${pathname}`, origin, owner: parts.join('/'), name: last.replace(/\.git$/, '') };
}

/** The placeholder's braces would be encoded, so they are looked at in the text. */
function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    // The text may hold a password: it is not shown.
    throw invalid('it is no URL such as https://git.example/ops/{cluster}-{namespace}.git', cause);
  }
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function invalid(problem: string, cause?: unknown): KeeperError {
  return new KeeperError(`Cannot use --remote: ${problem}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'REMOTE_INVALID',
    cause,
  });
}
