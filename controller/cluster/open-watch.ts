import { type EventStream, openEvents } from './event-stream.ts';
import { pathOf, type Session, type State, type StateAt } from './list-watch-state.ts';

/** The two watch requests: one that begins with all objects, one that goes on from a version. */

export async function openStreamingList(session: Session): Promise<StateAt<'streaming'>> {
  const begin = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
  return { at: 'streaming', events: await open(session, begin) };
}

export async function resumeWatch(session: Session, { resourceVersion }: StateAt<'resuming'>): Promise<State> {
  return { at: 'watching', resourceVersion, events: await open(session, { resourceVersion }) };
}

function open(session: Session, begin: Readonly<Record<string, string>>): Promise<EventStream> {
  const { signal, now, limits, random } = session;
  const [least, most] = limits.watchSeconds;
  const timeoutSeconds = Math.round(least + random() * (most - least));
  const path = pathOf(session, { watch: 1, allowWatchBookmarks: 'true', ...begin, timeoutSeconds });
  return openEvents(session.connection, path, { signal, now, headersTimeoutMs: limits.headersTimeoutMs });
}
