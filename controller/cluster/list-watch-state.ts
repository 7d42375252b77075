import type { Resource } from '../core/object.ts';
import type { KeeperError } from '../errors.ts';
import type { Connection } from './connect.ts';
import type { EventStream } from './event-stream.ts';
import type { RetryPolicy } from './retry.ts';

/**
 * The states of a list-watch (kube-rs's watcher is the model):
 *
 *   empty -> streaming ----------> watching <-> resuming
 *      \---> paging -> listed -------^-----------/
 *   any  -> failed -> backing-off -> empty (list again) or resuming (from the last version)
 */
export type State =
  /** Nothing is known: a list begins. */
  | { readonly at: 'empty' }
  /** In a list by pages; no token: before the first page. */
  | { readonly at: 'paging'; readonly token?: string; readonly limit: number }
  /** In a streaming list: a watch that first names all objects, then says so with a bookmark (KEP-3157). */
  | { readonly at: 'streaming'; readonly events: EventStream }
  /** All pages were read. */
  | { readonly at: 'listed'; readonly resourceVersion: string }
  /** A watch is to be opened. */
  | { readonly at: 'resuming'; readonly resourceVersion: string }
  | { readonly at: 'watching'; readonly resourceVersion: string; readonly events: EventStream }
  /** Without a version there is nothing to resume from. */
  | { readonly at: 'failed'; readonly error: KeeperError; readonly resourceVersion?: string }
  | { readonly at: 'backing-off'; readonly ms: number; readonly next: State }
  | { readonly at: 'ended' };

export type StateAt<At extends State['at']> = Extract<State, { at: At }>;

export interface Limits {
  /** A watch without a byte for that long is dead; bookmarks come about every 60 s. */
  readonly silenceMs: number;
  /** A streaming list that is silent for that long was not understood as one. */
  readonly listSilenceMs: number;
  readonly headersTimeoutMs: number;
  readonly pageTimeoutMs: number;
  /** A watch ends by itself after a random time between these, so that servers can balance and rights are asked again. */
  readonly watchSeconds: readonly [number, number];
  /** Between the lists of a resource that cannot be watched. */
  readonly pollMs: number;
  readonly retry: RetryPolicy;
  readonly retryUnreachable: RetryPolicy;
}

/** What the states of one list-watch share. */
export interface Session {
  readonly connection: Connection;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly path: string;
  readonly labelSelector: string | undefined;
  readonly pageSize: number;
  readonly once: boolean;
  readonly signal: AbortSignal;
  readonly limits: Limits;
  readonly random: () => number;
  readonly now: () => number;
  readonly onRetry: (error: KeeperError, ms: number) => void;
  /** Learnt on the way: the server offers streaming lists (until it shows otherwise). */
  streamsLists: boolean;
  /** Failures in a row. */
  failures: number;
  /** New lists in a row that a version which was too old made necessary. */
  expirations: number;
  /** Watches in a row that were refused although the list was allowed. */
  refusedWatches: number;
  /** The reason that was told last as skipped, until a list succeeds. */
  told: string | undefined;
}

/** The path with the query of a list or watch. */
export function pathOf(session: Session, query: Readonly<Record<string, string | number>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
  if (session.labelSelector !== undefined) parameters.set('labelSelector', session.labelSelector);
  return `${session.path}?${parameters}`;
}

export function askedOf(session: Session) {
  return { method: 'GET', path: session.path, server: session.connection.server };
}
