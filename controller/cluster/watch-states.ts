import type { Change } from '../core/change.ts';
import { parseJson } from '../core/json.ts';
import { isJsonObject, type Json, type JsonObject, objectAt, stringAt } from '../core/object.ts';
import type { KeeperError } from '../errors.ts';
import { refusalInStream, tooSlow, unparsable, unreachable } from './errors.ts';
import type { EventStream } from './event-stream.ts';
import { completeObject, endList } from './list-changes.ts';
import { firstPage } from './list-states.ts';
import { askedOf, type Session, type State, type StateAt } from './list-watch-state.ts';

/** The states of an open watch request, read batch by batch until it ends. */

/** A watch that lasted at least that long was a good one, even if nothing happened in it. */
const GOOD_WATCH_MS = 5_000;

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** A server that does not know streaming lists may take it for a plain watch: then it stays silent, or ends, and pages do it. */
export async function* readStreamingList(session: Session, state: StateAt<'streaming'>): AsyncGenerator<Change, State> {
  const lines = await state.events.next(session.limits.listSilenceMs);
  if (typeof lines !== 'string') return yield* readLines(session, state.events, lines, undefined);
  session.streamsLists = false;
  await state.events.close();
  if (lines === 'silent') return firstPage(session);
  return { at: 'failed', error: unreachable(askedOf(session), new Error('the list ended before it was complete')) };
}

export async function* readWatch(session: Session, state: StateAt<'watching'>): AsyncGenerator<Change, State> {
  const { events, resourceVersion } = state;
  const lines = await events.next(session.limits.silenceMs);
  if (typeof lines !== 'string') return yield* readLines(session, events, lines, resourceVersion);
  await events.close();
  if (session.now() - events.openedAt >= GOOD_WATCH_MS) {
    session.failures = 0;
    return { at: 'resuming', resourceVersion };
  }
  const error =
    lines === 'silent'
      ? tooSlow(askedOf(session), session.limits.silenceMs)
      : unreachable(askedOf(session), new Error('it ends the watch at once'));
  return { at: 'failed', error, resourceVersion };
}

/** Without a version we are still in the list: its end is a bookmark, and from there on it is a watch. */
async function* readLines(
  session: Session,
  events: EventStream,
  lines: readonly string[],
  from: string | undefined,
): AsyncGenerator<Change, State> {
  let resourceVersion = from;
  for (const line of lines) {
    const event = parseEvent(line);
    const object = objectAt(event, 'object');
    const version = stringAt(objectAt(object, 'metadata'), 'resourceVersion');
    switch (stringAt(event, 'type')) {
      case 'ADDED':
      case 'MODIFIED':
        yield { type: 'applied', resource: session.resource, object: completeObject(session, object) };
        break;
      case 'DELETED':
        yield { type: 'deleted', resource: session.resource, object: completeObject(session, object) };
        break;
      case 'BOOKMARK':
        if (resourceVersion !== undefined || !endsInitialEvents(object)) break;
        resourceVersion = version ?? '';
        yield endList(session, resourceVersion);
        if (session.once) return await leave(events, { at: 'ended' });
        break;
      case 'ERROR':
        return await leave(events, failed(refusalInStream(askedOf(session), object), resourceVersion));
      default:
        // A whole line that is no event: what else was damaged is not known, so nothing but a new list can be trusted.
        return await leave(events, failed(unparsable(askedOf(session), new Error('a damaged event')), undefined));
    }
    if (resourceVersion !== undefined) resourceVersion = version ?? resourceVersion;
  }
  if (resourceVersion === undefined) return { at: 'streaming', events };
  session.failures = 0;
  session.expirations = 0;
  session.refusedWatches = 0;
  return { at: 'watching', resourceVersion, events };
}

function parseEvent(line: string): JsonObject | undefined {
  let event: Json;
  try {
    event = parseJson(line);
  } catch {
    // The caller turns "no event" into a new list, with the reason.
    return undefined;
  }
  return isJsonObject(event) && isJsonObject(event['object']) ? event : undefined;
}

function endsInitialEvents(bookmark: Json | undefined): boolean {
  return stringAt(objectAt(objectAt(bookmark, 'metadata'), 'annotations'), INITIAL_EVENTS_END) === 'true';
}

function failed(error: KeeperError, resourceVersion: string | undefined): StateAt<'failed'> {
  return resourceVersion === undefined ? { at: 'failed', error } : { at: 'failed', error, resourceVersion };
}

async function leave(events: EventStream, next: State): Promise<State> {
  await events.close();
  return next;
}
