/** What can go wrong between a client and the API server, as values: for the fault proxy. */

export type Action =
  /** The connection is closed without an answer, or once so much of the body has come. */
  | { readonly do: 'cut'; readonly afterLines?: number; readonly afterBytes?: number }
  /** Nothing more comes and the connection stays: without an answer, or once so many lines have come. */
  | { readonly do: 'stall'; readonly afterLines?: number }
  /** Answered by the proxy with a metav1.Status; the API server hears nothing of it. */
  | { readonly do: 'status'; readonly code: number; readonly retryAfterSeconds?: number; readonly reason?: string }
  /** The next line is sent by half, then the body ends as if that were all. */
  | { readonly do: 'truncate'; readonly afterLines?: number }
  | { readonly do: 'slow'; readonly bytesPerSecond: number }
  /** An additional line (a newline is appended, an object becomes JSON); `end` then ends the body, as after a real ERROR event. */
  | { readonly do: 'inject'; readonly line: string | object; readonly afterLines?: number; readonly end?: boolean };

export interface Fault {
  /** Matched against the path without its query. */
  readonly path: RegExp;
  /** Matched against what follows the question mark, as sent. */
  readonly query?: RegExp;
  readonly method?: string;
  /** Only watches, or only what is none; without it both. */
  readonly watch?: boolean;
  /** So many matching requests are left alone first. */
  readonly after?: number;
  /** So many are hit, then no more; without it all. */
  readonly times?: number;
  readonly action: Action;
}

export interface ProxiedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  readonly isWatch: boolean;
  /** A read of a collection that is no watch. */
  readonly isList: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The event that ends a watch whose resource version is gone, as the API server spells it. */
export const EXPIRED_EVENT = { type: 'ERROR', object: renderStatus(410) } as const;

/** A metav1.Status. */
export function renderStatus(code: number, reason = reasonOf(code), retryAfterSeconds?: number): object {
  const details = retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } };
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${reason}: answered by the fault proxy`,
    reason,
    ...details,
    code,
  };
}

function reasonOf(code: number): string {
  return REASONS[code] ?? '';
}

export function describeRequest(method: string, url: string): ProxiedRequest {
  const mark = url.indexOf('?');
  const [path, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
  const isWatch = method === 'GET' && ['true', '1'].includes(new URLSearchParams(query).get('watch') ?? '');
  return { method, path, query, isWatch, isList: method === 'GET' && !isWatch && isCollection(path), at: Date.now() };
}

/** `/api/v1/pods`, `/apis/apps/v1/namespaces/shop/deployments`; not `/api/v1/namespaces/shop`. */
function isCollection(path: string): boolean {
  return /^\/(api|apis\/[^/]+)\/[^/]+\/(namespaces\/[^/]+\/(?!(status|finalize)$))?[^/]+$/.test(path);
}

export function matches(fault: Fault, request: ProxiedRequest): boolean {
  return (
    request.path.search(fault.path) >= 0 &&
    (fault.query === undefined || request.query.search(fault.query) >= 0) &&
    (fault.method === undefined || fault.method === request.method) &&
    (fault.watch === undefined || fault.watch === request.isWatch)
  );
}
