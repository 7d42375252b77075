import type { Resource } from './object.ts';

/** What a list-watch shows of itself beside its changes: for metrics, never for decisions. */
export type Sign =
  /** The server has said something, be it only a bookmark. */
  | { readonly type: 'alive' }
  /** A list begins; `cause` is 'first', 'poll' (the resource cannot be watched) or the code of the failure before it. */
  | { readonly type: 'listing'; readonly cause: string }
  /** It is followed no more. */
  | { readonly type: 'ended' };

/** Without a namespace: of the whole cluster. */
export type OnSign = (resource: Resource, namespace: string | undefined, sign: Sign) => void;
