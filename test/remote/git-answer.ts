import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { type Backend, runBackend } from './git-backend.ts';
import type { GitRequest, GitServerAuth } from './git-server.ts';
import type { GitAction, GitFaults } from './git-server-fault.ts';

interface Answering {
  readonly request: GitRequest;
  /** Kills what works for it and waits. */
  end(): Promise<void>;
}

interface ServerState {
  readonly directory: string;
  readonly auth: GitServerAuth | undefined;
  log: string;
}

type Counted = { -readonly [Key in keyof GitRequest]: GitRequest[Key] };

/** Answers one request: by a fault, with 401, or by the real backend. */
export function answerRequest(
  server: ServerState,
  faults: GitFaults,
  incoming: IncomingMessage,
  response: ServerResponse,
): Answering {
  const request = describe(incoming, response);
  const backends: Backend[] = [];
  const action = faults.take(request);
  void answer(server, request, action, incoming, response, backends).catch((error: unknown) => {
    note(server, `${String(error)}\n`);
    response.destroy();
  });
  const end = async () => {
    for (const backend of backends) backend.kill();
    await Promise.all(backends.map(({ ended }) => ended));
  };
  return { request, end };
}

function describe(incoming: IncomingMessage, response: ServerResponse): Counted {
  const url = incoming.url ?? '';
  const mark = url.indexOf('?');
  return {
    method: incoming.method ?? '',
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers: incoming.headers,
    hasAuthorization: incoming.headers.authorization !== undefined,
    at: Date.now(),
    bytesIn: 0,
    bytesOut: 0,
    status: 0,
    ended: new Promise((resolve) => response.once('close', () => resolve())),
  };
}

async function answer(
  server: ServerState,
  request: Counted,
  action: GitAction | undefined,
  incoming: IncomingMessage,
  response: ServerResponse,
  backends: Backend[],
): Promise<void> {
  if (action !== undefined && !isByBackend(action)) return answerFault(request, action, incoming, response);
  const user = userOf(server.auth, incoming.headers.authorization);
  if (user === undefined) {
    incoming.resume();
    writeHead(request, response, 401, { 'www-authenticate': 'Basic realm="test"', 'content-type': 'text/plain' });
    response.end('unauthorized\n');
    return;
  }
  const path = decodeURIComponent(request.path);
  const repository = join(server.directory, /^.*?\.git/.exec(path)?.[0] ?? path);
  const backend = runBackend(
    incoming,
    { root: server.directory, repository, path, query: request.query },
    { user, isFull: action?.do === 'no-space', onText: (text) => note(server, text) },
  );
  backends.push(backend);
  feed(request, action, incoming, backend);
  const { status, headers, body } = await backend.answer;
  writeHead(request, response, status, headers);
  await sendBody(request, action, body, response);
}

function note(server: ServerState, text: string): void {
  server.log += text;
}

function isByBackend({ do: what }: GitAction): boolean {
  return what === 'slow' || what === 'no-space' || what.startsWith('cut-') || what === 'stall-response';
}

async function answerFault(
  request: Counted,
  action: GitAction,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  incoming.on('data', (chunk: Buffer) => {
    request.bytesIn += chunk.length;
    if (action.do === 'choke' && request.bytesIn >= action.afterBytes) incoming.pause();
  });
  if (action.do === 'status') {
    const { retryAfterSeconds: seconds } = action;
    const later = seconds === undefined ? {} : { 'retry-after': `${seconds}` };
    writeHead(request, response, action.status, { 'content-type': 'text/plain', ...later, ...action.headers });
    response.end(action.text ?? '');
  } else if (action.do === 'redirect') {
    const asked = request.query === '' ? request.path : `${request.path}?${request.query}`;
    const location = typeof action.to === 'string' ? action.to : action.to(asked);
    writeHead(request, response, action.status ?? 302, { location });
    response.end();
  } else if (action.do === 'answer') {
    writeHead(request, response, 200, action.headers ?? {});
    for await (const chunk of action.body()) {
      request.bytesOut += chunk.length;
      if (!response.write(chunk)) await drained(response);
      if (response.destroyed) return;
    }
    response.end();
  }
}

/** The request's body into the backend, counted; cut where the fault says so. */
function feed(request: Counted, action: GitAction | undefined, incoming: IncomingMessage, backend: Backend): void {
  const limit = action?.do === 'cut-request' ? action.afterBytes : Number.POSITIVE_INFINITY;
  incoming.on('data', (chunk: Buffer) => {
    const left = limit - request.bytesIn;
    request.bytesIn += chunk.length;
    if (!backend.input.write(chunk.length > left ? chunk.subarray(0, left) : chunk)) {
      incoming.pause();
      backend.input.once('drain', () => incoming.resume());
    }
    if (request.bytesIn >= limit) incoming.socket.destroy();
  });
  incoming.on('close', () => backend.input.end());
  incoming.on('end', () => backend.input.end());
}

async function sendBody(
  request: Counted,
  action: GitAction | undefined,
  body: Readable,
  response: ServerResponse,
): Promise<void> {
  const limit =
    action?.do === 'cut-response' || action?.do === 'stall-response' ? action.afterBytes : Number.POSITIVE_INFINITY;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    // Whoever went away does not stop the backend: its work is done to the end, as on a real server.
    if (response.destroyed || request.bytesOut >= limit) continue;
    const part = chunk.subarray(0, limit - request.bytesOut);
    request.bytesOut += part.length;
    if (action?.do === 'slow') await sendSlowly(response, part, action.bytesPerSecond);
    else if (!response.write(part)) await drained(response);
  }
  if (action?.do === 'cut-response') await cutAfterFlush(response);
  else if (action?.do !== 'stall-response') response.end();
}

async function sendSlowly(response: ServerResponse, bytes: Buffer, perSecond: number): Promise<void> {
  const step = Math.max(1, Math.floor(perSecond / 50));
  for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
    response.write(bytes.subarray(at, at + step));
    await wait(20);
  }
}

/** The client gets exactly what came before the cut. */
async function cutAfterFlush(response: ServerResponse): Promise<void> {
  response.flushHeaders();
  do await wait(1);
  while (!response.destroyed && response.writableLength + (response.socket?.writableLength ?? 0) > 0);
  response.destroy();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function writeHead(
  request: Counted,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  request.status = status;
  response.writeHead(status, headers);
}

/** Who shows what is asked for; undefined for everybody else. */
function userOf(auth: GitServerAuth | undefined, header: string | undefined): string | undefined {
  if (auth === undefined) return 'nobody';
  const [scheme = '', value = ''] = (header ?? '').split(' ');
  if ('token' in auth && scheme.toLowerCase() === 'bearer') return value === auth.token ? 'token' : undefined;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const [username = '', password] = Buffer.from(value, 'base64').toString('utf8').split(/:(.*)/s);
  const isGood = 'token' in auth ? password === auth.token : username === auth.username && password === auth.password;
  return isGood ? username : undefined;
}
