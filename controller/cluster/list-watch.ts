import type { Change } from '../core/change.ts';
import type { Resource } from '../core/object.ts';
import type { WatchOptions } from '../core/ports.ts';
import type { OnSign } from '../core/signs.ts';
import { KeeperError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { recover } from './list-failure.ts';
import { beginList, endPagedList, readPage } from './list-states.ts';
import type { Limits, Session, State, StateAt } from './list-watch-state.ts';
import { resourcePath } from './objects.ts';
import { resumeWatch } from './open-watch.ts';
import { pause, RETRY, RETRY_UNREACHABLE } from './retry.ts';
import { SignTeller } from './tell-signs.ts';
import { readStreamingList, readWatch } from './watch-states.ts';

export interface ListWatchOptions extends WatchOptions {
  /** Most objects per page; fewer when they are large. */
  readonly pageSize?: number | undefined;
  readonly random?: (() => number) | undefined;
  /** Monotonic, in milliseconds. */
  readonly now?: (() => number) | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Called before each wait for another try: for logs. */
  readonly onRetry?: ((error: KeeperError, ms: number) => void) | undefined;
  /** For metrics. */
  readonly onSign?: OnSign | undefined;
}

const LIMITS: Limits = {
  silenceMs: 75_000,
  listSilenceMs: 10_000,
  headersTimeoutMs: 30_000,
  pageTimeoutMs: 60_000,
  watchSeconds: [300, 600],
  pollMs: 300_000,
  retry: RETRY,
  retryUnreachable: RETRY_UNREACHABLE,
};

/**
 * All objects of a resource, then every change of it, for ever: whatever fails is tried again, from the last version where that
 * is possible, else by a new list. Pulling is the backpressure. Ends when the signal is aborted, without an error; with `once`
 * after `synced`, or by throwing the KeeperError. Between `skipped` and the next `synced` nothing may be taken for deleted.
 */
export async function* listWatch(
  connection: Connection,
  resource: Resource,
  options: ListWatchOptions,
): AsyncGenerator<Change> {
  const session = sessionOf(connection, resource, options);
  const signs = new SignTeller(resource, options.namespace, options.onSign);
  let state: State = { at: 'empty' };
  try {
    while (state.at !== 'ended' && !session.signal.aborted) {
      signs.entered(state);
      try {
        const stepped: Step = step(session, state);
        state = stepped instanceof Promise ? await stepped : yield* stepped;
      } catch (error) {
        state = await failedAt(session, state, error);
      }
    }
  } finally {
    signs.ended();
    await closeEvents(state);
  }
}

/** A state that has something to tell, or one that only leads to the next. */
type Step = AsyncGenerator<Change, State> | Promise<State>;

function step(session: Session, state: State): Step {
  switch (state.at) {
    case 'empty':
      return beginList(session);
    case 'paging':
      return readPage(session, state);
    case 'streaming':
      return readStreamingList(session, state);
    case 'listed':
      return endPagedList(session, state);
    case 'resuming':
      return resumeWatch(session, state);
    case 'watching':
      return readWatch(session, state);
    case 'failed':
      return recover(session, state);
    case 'backing-off':
      return wait(session, state);
    case 'ended':
      return Promise.resolve(state);
    default:
      return state satisfies never;
  }
}

async function wait(session: Session, state: StateAt<'backing-off'>): Promise<State> {
  await pause(state.ms, session.signal);
  return state.next;
}

/** What is not a KeeperError is a defect, or an error that was thrown into us: it ends the list-watch. */
async function failedAt(session: Session, state: State, error: unknown): Promise<State> {
  if (session.signal.aborted) {
    await closeEvents(state);
    return { at: 'ended' };
  }
  if (!(error instanceof KeeperError) || state.at === 'failed') throw error;
  await closeEvents(state);
  return 'resourceVersion' in state && state.at !== 'listed'
    ? { at: 'failed', error, resourceVersion: state.resourceVersion }
    : { at: 'failed', error };
}

async function closeEvents(state: State): Promise<void> {
  if ('events' in state) await state.events.close();
}

function sessionOf(connection: Connection, resource: Resource, options: ListWatchOptions): Session {
  return {
    connection,
    resource,
    namespace: options.namespace,
    path: resourcePath(resource, options.namespace),
    labelSelector: options.labelSelector,
    pageSize: options.pageSize ?? 250,
    once: options.once ?? false,
    // An own signal: what listens to it is gone with it, however many list-watches share the caller's.
    signal: AbortSignal.any([options.signal]),
    limits: { ...LIMITS, ...options.limits },
    random: options.random ?? Math.random,
    now: options.now ?? (() => performance.now()),
    onRetry: options.onRetry ?? (() => undefined),
    streamsLists: resource.verbs.includes('watch'),
    failures: 0,
    expirations: 0,
    refusedWatches: 0,
    told: undefined,
  };
}
