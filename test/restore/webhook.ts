import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Cluster } from '../cluster/start-cluster.ts';

/** A validating webhook in this process for the objects of one namespace: it denies ConfigMaps whose data hold 'deny'. */

export interface Webhook extends AsyncDisposable {
  readonly name: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startWebhook(cluster: Cluster, namespace: string): Promise<Webhook> {
  const pki = join(cluster.directory, 'pki');
  const tls = { key: await readFile(join(pki, 'apiserver.key')), cert: await readFile(join(pki, 'apiserver.crt')) };
  let server = await listen(tls, 0);
  const { port } = server.address() as AddressInfo;
  const name = `deny.${namespace}.test`;
  await cluster.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: {
          url: `https://127.0.0.1:${port}/`,
          caBundle: Buffer.from(cluster.authority).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps', 'secrets'], operations: ['*'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 2,
        failurePolicy: 'Fail',
      },
    ],
  });
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    name,
    stop,
    start: async () => {
      server = await listen(tls, port);
    },
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await stop();
      await cluster.request('DELETE', `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`);
    },
  };
}

interface Review {
  readonly request: { readonly uid: string; readonly object?: { readonly data?: Record<string, string> } };
}

function listen(tls: { key: Buffer; cert: Buffer }, port: number): Promise<Server> {
  const server = createServer(tls, async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { uid, object } = (JSON.parse(Buffer.concat(parts).toString()) as Review).request;
    const denied = Object.values(object?.data ?? {}).find((value) => value.startsWith('deny'));
    const status = denied === undefined ? {} : { status: { message: `the value ${denied} is not wanted`, code: 403 } };
    const answer = { uid, allowed: denied === undefined, ...status };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
