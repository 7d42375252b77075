import { KeeperError } from '../../errors.ts';
import { AGENT } from './agent.ts';
import { tooLarge, tooSlow, unreachable } from './errors.ts';
import { Silence } from './silence.ts';
import type { Remote } from './transport.ts';
import { Upload } from './upload.ts';

export interface Asked {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it comes, once. */
  readonly body?: AsyncIterable<Uint8Array>;
  /** The most bytes that the answer's body may have, and what it is called. */
  readonly limit: number;
  readonly expected: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or left; throws KeeperError when it is cut, falls silent or grows beyond the limit. */
  readonly body: AsyncGenerator<Buffer>;
}

/**
 * One request and its answer, whatever its status; redirects are not followed. Throws KeeperError REMOTE_UNREACHABLE or
 * REMOTE_UNTRUSTED when there is none, what the body's source throws as it is, and the signal's reason when aborted.
 */
export async function exchange(remote: Remote, asked: Asked, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const { limits } = remote.transport;
  const silence = new Silence((ms) => tooSlow(remote, 'it takes nothing and says nothing', ms));
  const upload = new Upload(asked.body, silence, limits.silenceMs);
  const either = AbortSignal.any([signal, silence.signal]);
  const fail = (error: unknown): unknown => {
    silence.end();
    upload.abandon();
    if (either.aborted) return either.reason;
    if (upload.failure !== undefined) return upload.failure.error;
    return error instanceof KeeperError ? error : unreachable(remote, error);
  };
  try {
    const { body, length } = await upload.open();
    silence.listening(limits.headersMs);
    const sent = remote.transport.dispatcherFor(asked.url).request({
      origin: asked.url.origin,
      path: `${asked.url.pathname}${asked.url.search}`,
      method: asked.method,
      headers: { ...HEADERS, ...asked.headers, ...(length === undefined ? {} : { 'content-length': `${length}` }) },
      // Its types leave out what it documents: any iterable is a body.
      body: body as Buffer | null,
      signal: either,
    });
    const response = await orAborted(sent, either);
    silence.heard();
    const source = download(remote, asked, response.body, silence, fail);
    return { status: response.statusCode, headers: flatten(response.headers), body: source };
  } catch (error) {
    throw fail(error);
  }
}

/** undici hears of an abort only once the request has a connection, and a proxy may let it wait for one. */
async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Hosts tell Git from a browser by the name of the client. Packs are compressed already, and what is never unpacked
 * here cannot grow without bounds.
 */
const HEADERS = { 'user-agent': AGENT, 'accept-encoding': 'identity' } as const;

async function* download(
  remote: Remote,
  asked: Asked,
  body: AsyncIterable<Buffer>,
  silence: Silence,
  fail: (error: unknown) => unknown,
): AsyncGenerator<Buffer> {
  const source = body[Symbol.asyncIterator]();
  let bytes = 0;
  try {
    for (;;) {
      silence.listening(remote.transport.limits.silenceMs);
      const next = await source.next();
      silence.heard();
      if (next.done === true) return;
      bytes += next.value.length;
      if (bytes > asked.limit) throw tooLarge(remote, asked.expected, asked.limit);
      yield next.value;
    }
  } catch (error) {
    throw fail(error);
  } finally {
    silence.end();
    // Left early: the connection is of no more use.
    await source.return?.();
  }
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
}
