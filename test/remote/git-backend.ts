import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { withoutSpace } from './full-disk.ts';

/** Of a CGI answer (RFC 3875, 6). */
export interface BackendAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

export interface Backend {
  /** The request's body; ended early it looks like a client that went away. */
  readonly input: Writable;
  /** Rejects when the backend ended without headers. */
  readonly answer: Promise<BackendAnswer>;
  readonly ended: Promise<void>;
  /** With everything it started. */
  kill(): void;
}

/** The settings and the place of nobody: what the machine's user has configured plays no part. */
export const CLEAN_ENVIRONMENT = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  LC_ALL: 'C',
};

/**
 * Runs `git http-backend` (gitprotocol-http, git-http-backend) for one request. It is not told how long the body is: with
 * a length it would turn in circles for ever when the body ends early.
 */
export function runBackend(
  request: IncomingMessage,
  place: { readonly root: string; readonly repository: string; readonly path: string; readonly query: string },
  options: { readonly user?: string; readonly isFull?: boolean; readonly onText: (text: string) => void },
): Backend {
  const command = options.isFull ? withoutSpace(place.repository) : ['git'];
  const [program = '', ...args] = [...command, 'http-backend'];
  // In a process group of its own, so that hooks end with it; it ends by itself when its pipes close.
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    cwd: place.root,
    env: environment(request, place, options.user),
  });
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', options.onText);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { input: child.stdin, answer: readAnswer(child), ended, kill: () => killGroup(child.pid) };
}

function environment(
  request: IncomingMessage,
  place: { readonly root: string; readonly path: string; readonly query: string },
  user: string | undefined,
) {
  const { headers } = request;
  const optional = {
    CONTENT_TYPE: headers['content-type'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    HTTP_GIT_PROTOCOL: headers['git-protocol'] as string | undefined,
  };
  return {
    ...CLEAN_ENVIRONMENT,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    GIT_PROJECT_ROOT: place.root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.receivepack',
    GIT_CONFIG_VALUE_0: 'true',
    PATH_INFO: place.path,
    QUERY_STRING: place.query,
    REQUEST_METHOD: request.method ?? '',
    REMOTE_USER: user ?? 'nobody',
    REMOTE_ADDR: '127.0.0.1',
  };
}

async function readAnswer(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<BackendAnswer> {
  const { stdout } = child;
  let head = Buffer.alloc(0);
  for (;;) {
    const end = head.indexOf('\r\n\r\n');
    if (end >= 0) {
      if (end + 4 < head.length) stdout.unshift(head.subarray(end + 4));
      return { ...parseHead(head.toString('latin1', 0, end)), body: stdout };
    }
    head = Buffer.concat([head, await nextChunk(child)]);
  }
}

function nextChunk(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<Buffer> {
  const { stdout } = child;
  return new Promise((resolve, reject) => {
    const done = (action: () => void) => {
      stdout.off('readable', onReadable).off('end', onEnd);
      child.off('error', onError);
      action();
    };
    const onReadable = () => {
      const chunk = stdout.read() as Buffer | null;
      if (chunk !== null) done(() => resolve(chunk));
    };
    const onEnd = () => done(() => reject(new Error('The backend ended without an answer')));
    const onError = (error: Error) => done(() => reject(error));
    stdout.on('readable', onReadable).on('end', onEnd);
    child.on('error', onError);
  });
}

function parseHead(text: string): { status: number; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    if (name === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
