import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as openRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Action, describeRequest, type Fault, matches, type ProxiedRequest, renderStatus } from './fault.ts';
import { FaultyBody } from './faulty-body.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import type { Cluster } from './start-cluster.ts';

export interface FaultProxy extends AsyncDisposable {
  readonly server: string;
  /** The administrator's, a file. */
  readonly kubeconfig: string;
  /** A file like `kubeconfig` for another bearer token; gone with the proxy. */
  kubeconfigFor(token: string): Promise<string>;
  /** For requests that come later; of several that match a request, the first added hits it. */
  add(fault: Fault): AddedFault;
  /** Upon watches that are open now, counted from now on; says how many it hit. */
  strike(path: RegExp, action: Exclude<Action, { do: 'status' }>): number;
  /** Removes every fault; what has been hit already stays so. */
  clear(): void;
  /** All since the start, oldest first. */
  readonly requests: readonly ProxiedRequest[];
  count(predicate: (request: ProxiedRequest) => boolean): number;
}

export interface AddedFault {
  remove(): void;
  readonly hits: number;
}

interface ArmedFault {
  readonly fault: Fault;
  seen: number;
  hits: number;
}

interface ProxyState {
  readonly target: URL;
  readonly agent: Agent;
  readonly faults: Set<ArmedFault>;
  readonly requests: ProxiedRequest[];
  /** The watches that are open, with what was asked. */
  readonly watches: Map<FaultyBody, ProxiedRequest>;
}

/** HTTPS in front of the cluster's API server with the same certificate (HTTP/1.1): transparent until a fault is added. */
export async function startFaultProxy(
  cluster: Pick<Cluster, 'directory' | 'server' | 'authority' | 'token'>,
): Promise<FaultProxy> {
  const readKey = (name: string) => readFile(join(cluster.directory, 'pki', name));
  const [cert, key] = await Promise.all([readKey('apiserver.crt'), readKey('apiserver.key')]);
  // A connection per request: one that is kept could be stale after a restart of the API server, a fault that nobody asked for.
  const agent = new Agent({ ca: cluster.authority, keepAlive: false });
  const state: ProxyState = {
    target: new URL(cluster.server),
    agent,
    faults: new Set(),
    requests: [],
    watches: new Map(),
  };
  const listener = createServer({ cert, key, requestTimeout: 0, keepAliveTimeout: 600_000 }, (request, response) =>
    answer(state, request, response),
  );
  const server = `https://127.0.0.1:${await listen(listener)}`;
  const folder = await mkdtemp(join(cluster.directory, 'fault-proxy-'));
  const kubeconfigFor = async (token: string) => {
    const path = join(folder, `${randomUUID()}.kubeconfig`);
    await writeFile(path, renderKubeconfig({ server, authority: cluster.authority, token }), { mode: 0o600 });
    return path;
  };
  return {
    ...controls(state),
    server,
    kubeconfig: await kubeconfigFor(cluster.token),
    kubeconfigFor,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      listener.closeAllConnections();
      agent.destroy();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function controls(state: ProxyState): Pick<FaultProxy, 'add' | 'strike' | 'clear' | 'requests' | 'count'> {
  return {
    add: (fault) => {
      const armed: ArmedFault = { fault, seen: 0, hits: 0 };
      state.faults.add(armed);
      return {
        remove: () => state.faults.delete(armed),
        get hits() {
          return armed.hits;
        },
      };
    },
    strike: (path, action) => {
      const hit = [...state.watches].filter(([, request]) => request.path.search(path) >= 0);
      for (const [body] of hit) body.strike(action);
      return hit.length;
    },
    clear: () => state.faults.clear(),
    requests: state.requests,
    count: (predicate) => state.requests.filter(predicate).length,
  };
}

function answer(state: ProxyState, request: IncomingMessage, response: ServerResponse): void {
  const asked = describeRequest(request.method ?? '', request.url ?? '');
  state.requests.push(asked);
  const action = chooseAction(state.faults, asked);
  if (action?.do === 'status') answerStatus(action, request, response);
  else if (action?.do === 'cut' && action.afterLines === undefined && action.afterBytes === undefined)
    request.socket.destroy();
  else if (action?.do !== 'stall' || action.afterLines !== undefined) forward(state, asked, request, response, action);
}

function chooseAction(faults: Iterable<ArmedFault>, request: ProxiedRequest): Action | undefined {
  for (const armed of faults) {
    const { after = 0, times = Number.POSITIVE_INFINITY, action } = armed.fault;
    if (armed.hits >= times || !matches(armed.fault, request) || ++armed.seen <= after) continue;
    armed.hits++;
    return action;
  }
  return undefined;
}

function answerStatus(
  action: Extract<Action, { do: 'status' }>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume();
  const { code, retryAfterSeconds, reason } = action;
  const later = retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` };
  response.writeHead(code, { 'content-type': 'application/json', ...later });
  response.end(`${JSON.stringify(renderStatus(code, reason, retryAfterSeconds))}\n`);
}

function forward(
  state: ProxyState,
  asked: ProxiedRequest,
  request: IncomingMessage,
  response: ServerResponse,
  action: Action | undefined,
): void {
  const { hostname, port } = state.target;
  const { 'accept-encoding': encoding, ...headers } = endToEnd(request.headers);
  // A fault speaks of lines; there are none in a compressed body.
  const accepted = action === undefined && encoding !== undefined ? { 'accept-encoding': encoding } : {};
  const upstream = openRequest({
    agent: state.agent,
    hostname,
    port,
    method: asked.method,
    path: request.url,
    headers: { ...headers, ...accepted },
  });
  upstream.on('response', (source) => forwardBody(state, asked, source, response, action));
  // No API server, no answer: what a client would see without the proxy.
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

function forwardBody(
  state: ProxyState,
  asked: ProxiedRequest,
  source: IncomingMessage,
  response: ServerResponse,
  action: Action | undefined,
): void {
  const { 'content-length': length, ...headers } = endToEnd(source.headers);
  const sized = action === undefined && length !== undefined ? { 'content-length': length } : {};
  response.writeHead(source.statusCode ?? 502, { ...headers, ...sized });
  response.flushHeaders();
  const body: FaultyBody = new FaultyBody(() => void cutAfterFlush(body, response));
  if (asked.isWatch) state.watches.set(body, asked);
  source.on('error', () => response.destroy());
  response.on('close', () => {
    state.watches.delete(body);
    body.destroy();
  });
  source.pipe(body).pipe(response);
  if (action !== undefined) body.strike(action);
}

/** What belongs to one connection only (RFC 9110, 7.6.1) stays there. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection, 'keep-alive': kept, 'transfer-encoding': coding, upgrade, ...rest } = headers;
  return rest;
}

/** The client gets exactly what came before the cut. */
async function cutAfterFlush(body: FaultyBody, response: ServerResponse): Promise<void> {
  const unsent = () => body.readableLength + response.writableLength + (response.socket?.writableLength ?? 0);
  do await wait(1);
  while (!response.destroyed && unsent() > 0);
  response.destroy();
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
