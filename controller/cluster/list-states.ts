import type { Change } from '../core/change.ts';
import { parseJson } from '../core/json.ts';
import { arrayAt, type Json, objectAt, stringAt } from '../core/object.ts';
import { KeeperError } from '../errors.ts';
import { unparsable } from './errors.ts';
import { completeObject, endList } from './list-changes.ts';
import { askedOf, pathOf, type Session, type State, type StateAt } from './list-watch-state.ts';
import { openStreamingList } from './open-watch.ts';

/** The states of a list: how it begins, its pages, its end. */

/** Few at first: nothing is known yet of how large the objects are. */
const FIRST_PAGE = 100;

/** Characters of a page to aim at; the text and its objects are in memory together. */
const PAGE_TEXT = 2_000_000;

/** Streamed where the server offers it, also for a single list: as fast as pages here, with less in memory, and it cannot expire. */
export async function* beginList(session: Session): AsyncGenerator<Change, State> {
  yield { type: 'listing', resource: session.resource, namespace: session.namespace };
  if (!session.streamsLists) return firstPage(session);
  try {
    return await openStreamingList(session);
  } catch (error) {
    if (!isStreamingRefused(session, error)) throw error;
    return firstPage(session);
  }
}

export function firstPage(session: Session): StateAt<'paging'> {
  return { at: 'paging', limit: Math.min(session.pageSize, FIRST_PAGE) };
}

/** Servers that do not know it call it invalid; who may list but not watch is forbidden it. Pages are for both. */
function isStreamingRefused(session: Session, error: unknown): boolean {
  if (!(error instanceof KeeperError)) return false;
  if (error.code === 'REQUEST_REFUSED') session.streamsLists = false;
  return error.code === 'REQUEST_REFUSED' || error.code === 'RESOURCE_FORBIDDEN';
}

export async function* readPage(session: Session, state: StateAt<'paging'>): AsyncGenerator<Change, State> {
  const query = { limit: state.limit, ...(state.token === undefined ? {} : { continue: state.token }) };
  const { signal, limits } = session;
  const answer = await session.connection.request(pathOf(session, query), { signal, timeoutMs: limits.pageTimeoutMs });
  const page = parsePage(session, answer.text);
  const items = arrayAt(page, 'items');
  for (const item of items) {
    yield { type: 'applied', resource: session.resource, object: completeObject(session, item) };
  }
  const list = objectAt(page, 'metadata');
  const token = stringAt(list, 'continue') ?? '';
  if (token === '') return { at: 'listed', resourceVersion: stringAt(list, 'resourceVersion') ?? '' };
  return { at: 'paging', token, limit: nextLimit(session.pageSize, items.length, answer.text.length) };
}

/** As many objects as fit the aim if they are as large as the last ones. */
export function nextLimit(pageSize: number, count: number, characters: number): number {
  const fitting = Math.floor((PAGE_TEXT * Math.max(count, 1)) / Math.max(characters, 1));
  return Math.max(1, Math.min(pageSize, fitting));
}

function parsePage(session: Session, text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw unparsable(askedOf(session), error);
  }
}

export async function* endPagedList(session: Session, state: StateAt<'listed'>): AsyncGenerator<Change, State> {
  yield endList(session, state.resourceVersion);
  if (session.once) return { at: 'ended' };
  if (!session.resource.verbs.includes('watch')) {
    return { at: 'backing-off', ms: session.limits.pollMs, next: { at: 'empty' } };
  }
  return { at: 'resuming', resourceVersion: state.resourceVersion };
}
