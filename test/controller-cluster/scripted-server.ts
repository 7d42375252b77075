import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, connect } from '../../controller/cluster/connect.ts';

/** An API server that answers exactly what a test says, for faults that a real one shows only by chance. */
export interface ScriptedServer extends AsyncDisposable {
  readonly connection: Connection;
  /** What was asked so far: paths with their queries. */
  readonly requests: readonly Asked[];
  readonly kubeconfig: string;
  /** Writes the kubeconfig again, with this user. */
  setUser(user: object): Promise<void>;
}

export interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

export type Script = (asked: Asked, response: ServerResponse, count: number) => void | Promise<void>;

export async function startScriptedServer(script: Script, prefix = ''): Promise<ScriptedServer> {
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    const [path = '', query] = (request.url ?? '').split('?', 2);
    const asked = { path, query: new URLSearchParams(query), headers: request.headers };
    requests.push(asked);
    void Promise.resolve(script(asked, response, requests.length)).catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'kubekeeper-scripted-'));
  const kubeconfig = join(folder, 'config');
  const setUser = (user: object) =>
    writeFile(kubeconfig, renderKubeconfig(`http://127.0.0.1:${port}${prefix}`, user), { mode: 0o600 });
  await setUser({ token: 'first' });
  const connection = await connect({ kubeconfig });
  return {
    connection,
    requests,
    kubeconfig,
    setUser,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function renderKubeconfig(server: string, user: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user }],
  });
}

export function sendJson(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendStatus(response: ServerResponse, code: number, reason: string, headers = {}): void {
  sendJson(
    response,
    { kind: 'Status', status: 'Failure', code, reason, message: `${reason} by script` },
    code,
    headers,
  );
}

export function sendList(response: ServerResponse, names: readonly string[], version: string, token = ''): void {
  sendJson(response, {
    kind: 'ConfigMapList',
    metadata: { resourceVersion: version, continue: token },
    items: names.map(bare),
  });
}

/** One line of a watch. */
export function event(type: string, name: string, version: string): string {
  return `${JSON.stringify({ type, object: { apiVersion: 'v1', kind: 'ConfigMap', ...bare(name, version) } })}\n`;
}

export function bookmark(version: string, endsInitialEvents = false): string {
  const annotations = endsInitialEvents ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version, ...annotations } } })}\n`;
}

export function errorEvent(code: number, reason: string): string {
  return `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, reason, message: `${reason} by script` } })}\n`;
}

function bare(name: string, version: string | number = '1') {
  return { metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: String(version) } };
}
