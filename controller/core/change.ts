import type { KubeObject, Resource } from './object.ts';

/**
 * What a list-watch says, in order. After a list, every object that exists was `applied` once and `synced` follows: what
 * was not seen by then is gone, so lost deletions heal. `synced` comes only after a list that was complete.
 */
export type Change =
  | { readonly type: 'applied'; readonly resource: Resource; readonly object: KubeObject }
  | { readonly type: 'deleted'; readonly resource: Resource; readonly object: KubeObject }
  /** A list begins: from here to `synced`, every object is named again. */
  | { readonly type: 'listing'; readonly resource: Resource; readonly namespace: string | undefined }
  | {
      readonly type: 'synced';
      readonly resource: Resource;
      readonly namespace: string | undefined;
      readonly resourceVersion: string;
    }
  /** The resource cannot be read now; it is retried for ever, and nothing of it may be deleted meanwhile. */
  | {
      readonly type: 'skipped';
      readonly resource: Resource;
      readonly namespace: string | undefined;
      readonly reason: string;
      readonly code: string;
    };
