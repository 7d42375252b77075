import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Cluster } from '../cluster/start-cluster.ts';

/** A small aggregated API: `gadgets.aggregated.example`, served by this process behind the real API server's aggregation layer. */

const GROUP = 'aggregated.example';

export interface AggregatedApi extends AsyncDisposable {
  /** The APIService goes on; its server does not answer any more. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startAggregatedApi(cluster: Cluster, names: readonly string[]): Promise<AggregatedApi> {
  const pki = join(cluster.directory, 'pki');
  const tls = { key: await readFile(join(pki, 'apiserver.key')), cert: await readFile(join(pki, 'apiserver.crt')) };
  let server = await listen(tls, names, 0);
  const { port } = server.address() as AddressInfo;
  await register(cluster, port);
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    stop,
    start: async () => {
      server = await listen(tls, names, port);
    },
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await stop();
    },
  };
}

async function register(cluster: Cluster, port: number): Promise<void> {
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'aggregated', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
  });
  await cluster.apply({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.${GROUP}` },
    spec: {
      group: GROUP,
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { name: 'aggregated', namespace: 'default', port },
    },
  });
  await cluster.kubectl(['wait', '--for=condition=Available', `apiservice/v1.${GROUP}`, '--timeout=60s']);
}

function listen(tls: { key: Buffer; cert: Buffer }, names: readonly string[], port: number): Promise<Server> {
  const server = createServer(tls, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://localhost');
    const body = answer(url, names);
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    // A watch stays open without a word.
    if (url.searchParams.get('watch') === '1' || url.searchParams.get('watch') === 'true') response.flushHeaders();
    else response.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, () => resolve(server));
  });
}

function answer(url: URL, names: readonly string[]): object | undefined {
  const groupVersion = `${GROUP}/v1`;
  switch (url.pathname) {
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [] };
    case `/apis/${groupVersion}`: {
      const gadgets = {
        name: 'gadgets',
        singularName: 'gadget',
        namespaced: true,
        kind: 'Gadget',
        verbs: ['get', 'list', 'watch'],
      };
      return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [gadgets] };
    }
    case `/apis/${groupVersion}/gadgets`: {
      const items = names.map((name) => ({
        apiVersion: groupVersion,
        kind: 'Gadget',
        metadata: { name, namespace: 'default', uid: `0000000${name.length}-0000`, resourceVersion: '1' },
        spec: { name },
      }));
      return { kind: 'GadgetList', apiVersion: groupVersion, metadata: { resourceVersion: '1' }, items };
    }
    default:
      return undefined;
  }
}
