/** What can go wrong between a client and a Git server, as values: for git-server.ts. */

export type GitAction =
  /** Answered without the backend. */
  | {
      readonly do: 'status';
      readonly status: number;
      readonly retryAfterSeconds?: number;
      /** The body, as plain text. */
      readonly text?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** To an absolute URL or a path; a function gets the path with its query, as it was asked for. */
  | { readonly do: 'redirect'; readonly to: string | ((path: string) => string); readonly status?: number }
  /** The request is read, no answer comes, the connection stays. */
  | { readonly do: 'hang' }
  /** No more of the request's body is taken, no answer comes, the connection stays. */
  | { readonly do: 'choke'; readonly afterBytes: number }
  /** Answered by the real backend, so many bytes of the body a second. */
  | { readonly do: 'slow'; readonly bytesPerSecond: number }
  /** The connection is cut once so much of the request's body came; the backend sees it end there. */
  | { readonly do: 'cut-request'; readonly afterBytes: number }
  /** The connection is cut once so much of the answer's body was sent; the backend still does its work to the end. */
  | { readonly do: 'cut-response'; readonly afterBytes: number }
  /** Nothing more is sent once so much of the answer's body was sent, and the connection stays. */
  | { readonly do: 'stall-response'; readonly afterBytes: number }
  /** A hostile server's answer, sent as it is and read as far as the client wants it. */
  | {
      readonly do: 'answer';
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: () => AsyncIterable<Buffer> | Iterable<Buffer>;
    }
  /** The backend runs on a full disk: each write of it fails with ENOSPC. */
  | { readonly do: 'no-space' };

/** Which requests a fault hits; all, when nothing is said. */
export interface GitFaultMatch {
  readonly method?: 'GET' | 'POST';
  /** Without the query. */
  readonly path?: RegExp;
  readonly service?: 'git-receive-pack' | 'git-upload-pack';
  /** So many matching requests are left alone first. */
  readonly after?: number;
  /** So many are hit, then no more; without it all. */
  readonly times?: number;
}

export interface AddedGitFault {
  readonly hits: number;
  remove(): void;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: string;
}

/** The faults that are switched on; the first that matches a request hits it. */
export class GitFaults {
  readonly #armed = new Set<{ action: GitAction; match: GitFaultMatch; seen: number; hits: number }>();

  add(action: GitAction, match: GitFaultMatch = {}): AddedGitFault {
    const armed = { action, match, seen: 0, hits: 0 };
    this.#armed.add(armed);
    return {
      get hits() {
        return armed.hits;
      },
      remove: () => void this.#armed.delete(armed),
    };
  }

  clear(): void {
    this.#armed.clear();
  }

  /** The action that hits this request. */
  take(asked: Asked): GitAction | undefined {
    for (const armed of this.#armed) {
      const { after = 0, times = Number.POSITIVE_INFINITY } = armed.match;
      if (armed.hits >= times || !isMatch(armed.match, asked) || ++armed.seen <= after) continue;
      armed.hits++;
      return armed.action;
    }
    return undefined;
  }
}

function isMatch({ method, path, service }: GitFaultMatch, asked: Asked): boolean {
  return (
    (method === undefined || method === asked.method) &&
    (path === undefined || asked.path.search(path) >= 0) &&
    (service === undefined || asked.path.endsWith(`/${service}`) || asked.query.includes(`service=${service}`))
  );
}
