import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addressUnusable } from './errors.ts';
import { type Health, isGood, renderChecks } from './health.ts';
import type { Metrics } from './metrics.ts';

/** /livez, /readyz and /metrics for the kubelet and Prometheus. Anybody who reaches the port may read: nothing here is secret. */

export interface Address {
  /** All interfaces when left out. */
  readonly host?: string;
  /** 0: the system chooses. */
  readonly port: number;
}

export interface TelemetryServer extends AsyncDisposable {
  /** As in a URL: '127.0.0.1:8080', '[::]:8080'. */
  readonly address: string;
}

interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

const PLAIN = 'text/plain; charset=utf-8';

/** Who asks is near and short; whoever is not must not keep a connection. */
const LIMITS = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 5000 };
const MOST_CONNECTIONS = 64;

/** Listens at once. Throws KeeperError ADDRESS_UNUSABLE. */
export async function serve(address: Address, parts: { health: Health; metrics: Metrics }): Promise<TelemetryServer> {
  const server = createServer({ ...LIMITS, connectionsCheckingInterval: 1000 }, (request, response) => {
    respond(request, response, parts).catch((error) => refuse(response, error));
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, address);
  // A connection that could not be taken (too many files are open) must not end the archive: who asked sees it and asks again.
  server.on('error', () => undefined);
  // What it serves must not keep alive what has ended.
  server.unref();
  return {
    address: renderAddress(server.address() as AddressInfo),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  parts: { health: Health; metrics: Metrics },
): Promise<void> {
  const { status, contentType = PLAIN, body } = await answer(request, parts);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // A body that nobody reads may follow: the connection is of no more use.
    ...(status === 405 ? { allow: 'GET, HEAD', connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** A defect in telling must not end the archive; Prometheus sees the target down, and a person the reason. */
function refuse(response: ServerResponse, error: unknown): void {
  if (!response.headersSent) response.writeHead(500, { 'content-type': PLAIN });
  response.end(`cannot answer: ${error instanceof Error ? error.message : error}\n`);
}

async function answer(
  request: IncomingMessage,
  { health, metrics }: { health: Health; metrics: Metrics },
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'only GET and HEAD\n' };
  const [path, query = ''] = (request.url ?? '').split('?', 2);
  const isVerbose = new URLSearchParams(query).has('verbose');
  switch (path) {
    case '/livez':
    case '/healthz':
      return answerProbe(path.slice(1), health.live(), isVerbose);
    case '/readyz':
      return answerProbe('readyz', health.ready(), isVerbose);
    case '/metrics':
      return { status: 200, contentType: metrics.contentType, body: await metrics.render() };
    default:
      return { status: 404, body: 'there are /livez, /readyz and /metrics\n' };
  }
}

/** What is wrong is said without being asked for. */
function answerProbe(name: string, checks: ReturnType<Health['live']>, isVerbose: boolean): Answer {
  if (!isGood(checks)) return { status: 503, body: renderChecks(name, checks) };
  return { status: 200, body: isVerbose ? renderChecks(name, checks) : 'ok' };
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(addressUnusable(`${host ?? ''}:${port}`, cause));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function renderAddress({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
