import type { Duplex } from 'node:stream';
import { type Dispatcher, ping, WebSocket } from 'undici';
import { KeeperError } from '../errors.ts';

/**
 * The upgrade to a WebSocket. It is undici's, over the dispatcher of all other requests, so that certificates, a renewed token and a proxy
 * are the same; client-node's own would read the kubeconfig anew and knows no proxy of it.
 */
export interface Upgrade {
  /** http or https. */
  readonly url: string;
  readonly protocols: readonly string[];
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal: AbortSignal;
}

export interface OpenSocket {
  readonly socket: WebSocket;
  /** Binary messages from the first on, which may have come with the answer to the upgrade; then the end. Called once. */
  receive(onMessage: (message: Uint8Array) => void, onClose: () => void): void;
  /** Says goodbye, and does not wait long for the answer. */
  cut(): void;
}

/** `status` is undefined where there was no answer. */
export type Upgraded =
  | (OpenSocket & { readonly isOpen: true })
  | { readonly isOpen: false; readonly status: number | undefined; readonly cause: unknown };

/** Throws the signal's reason. */
export async function upgrade({ url, protocols, dispatcher, headers, signal }: Upgrade): Promise<Upgraded> {
  signal.throwIfAborted();
  const seen: Seen = { status: undefined, cause: undefined, raw: undefined };
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    protocols: [...protocols],
    // Headers of a WebSocket are joined by commas, which would make one group of several (Impersonate-Group).
    dispatcher: dispatcher.compose(
      (dispatch) => (options, handler) =>
        dispatch({ ...options, headers: { ...namedHeaders(options.headers), ...headers } }, watch(handler, seen)),
    ),
  });
  socket.binaryType = 'arraybuffer';
  const receive = receiverOf(socket);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const abort = () => socket.close();
  socket.addEventListener('open', () => resolve(true), { once: true });
  socket.addEventListener('close', () => resolve(false), { once: true });
  // An error is followed by a close, which is what counts.
  socket.addEventListener('error', () => undefined);
  signal.addEventListener('abort', abort, { once: true });
  const isOpen = await promise;
  signal.removeEventListener('abort', abort);
  if (signal.aborted) {
    socket.close();
    throw signal.reason;
  }
  if (!isOpen) return { isOpen, status: seen.status, cause: seen.cause };
  pingWhileOpen(socket);
  return { isOpen, socket, receive, cut: () => cut(socket, seen.raw) };
}

function receiverOf(socket: WebSocket): OpenSocket['receive'] {
  const early: Uint8Array[] = [];
  let take = (message: Uint8Array): void => void early.push(message);
  socket.addEventListener('message', ({ data }) => {
    if (data instanceof ArrayBuffer) take(new Uint8Array(data));
  });
  return (onMessage, onClose) => {
    for (const message of early) onMessage(message);
    take = onMessage;
    if (socket.readyState === WebSocket.CLOSED) onClose();
    else socket.addEventListener('close', onClose, { once: true });
  };
}

interface Seen {
  status: number | undefined;
  cause: unknown;
  raw: Duplex | undefined;
}

const GOODBYE_MS = 2000;

function cut(socket: WebSocket, raw: Duplex | undefined): void {
  socket.close();
  const timer = setTimeout(() => raw?.destroy(), GOODBYE_MS);
  raw?.once('close', () => clearTimeout(timer));
}

/** A WebSocket says only that it failed. */
function watch(handler: Dispatcher.DispatchHandler, seen: Seen): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (...args) => handler.onRequestStart?.(...args),
    onRequestUpgrade: (...args) => {
      seen.raw = args[3];
      handler.onRequestUpgrade?.(...args);
    },
    onResponseStart: (...args) => {
      seen.status = args[1];
      handler.onResponseStart?.(...args);
    },
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
    onResponseError: (...args) => {
      seen.cause = args[1];
      handler.onResponseError?.(...args);
    },
  };
}

function namedHeaders(headers: Dispatcher.DispatchOptions['headers']): Record<string, string | string[]> {
  if (typeof headers === 'object' && headers !== null && !(Symbol.iterator in headers)) {
    return headers as Record<string, string | string[]>;
  }
  throw new KeeperError('The headers of a WebSocket are of an unknown shape', { kind: 'defect', code: 'DEFECT' });
}

/** What lies between may cut connections on which nothing is said for a minute. */
const PING_EVERY_MS = 15_000;

function pingWhileOpen(socket: WebSocket): void {
  const timer = setInterval(() => ping(socket), PING_EVERY_MS);
  socket.addEventListener('close', () => clearInterval(timer), { once: true });
}
