import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { binary } from './binaries.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type KubeUser, renderKubeconfig } from './kubeconfig.ts';

/** A real control plane on loopback: etcd, kube-apiserver and kube-controller-manager, gone with its holder. */

export interface ClusterOptions {
  /** Without it nothing collects garbage, scales or deletes namespaces; starts a little faster. */
  readonly controllerManager?: boolean;
  readonly apiServerArgs?: readonly string[];
  readonly controllerManagerArgs?: readonly string[];
  readonly etcdArgs?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Cluster extends AsyncDisposable {
  /** Holds everything; removed at the end. */
  readonly directory: string;
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly authority: string;
  /** The bearer token of the administrator. */
  readonly token: string;
  /** The administrator's kubeconfig, a file. */
  readonly kubeconfig: string;
  readonly readyMs: number;
  /** As the administrator; any status is an answer. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** The real kubectl as the administrator; throws with what it said. */
  kubectl(args: readonly string[], options?: { input?: string }): Promise<string>;
  /** Server-side apply, as field manager 'test' unless named. */
  apply(object: object, manager?: string): Promise<unknown>;
  /** A kubeconfig file for a new service account with these cluster-wide rules; `role` changes them later. */
  createUser(name: string, rules: readonly object[]): Promise<KubeUser>;
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const withManager = options.controllerManager ?? true;
  const [etcd, apiServer] = [await binary('etcd'), await binary('kube-apiserver')];
  const manager = withManager ? await binary('kube-controller-manager') : undefined;
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-cluster-'));
  const [etcdPort = 0, peerPort = 0, port = 0, managerPort = 0] = await freePorts(4);
  const server = `https://127.0.0.1:${port}`;
  const token = randomBytes(16).toString('hex');
  await writeCredentials(directory, token);
  const plane = await startControlPlane(directory, {
    etcd: [etcd, ...etcdFlags(directory, etcdPort, peerPort), ...(options.etcdArgs ?? [])],
    'kube-apiserver': [apiServer, ...apiServerFlags(directory, port, etcdPort), ...(options.apiServerArgs ?? [])],
    ...(manager === undefined
      ? {}
      : {
          'kube-controller-manager': [
            manager,
            ...managerFlags(directory, managerPort),
            ...(options.controllerManagerArgs ?? []),
          ],
        }),
  });
  try {
    return await openCluster(plane, { directory, server, token, started, withManager });
  } catch (error) {
    await plane[Symbol.asyncDispose]();
    throw error;
  }
}

async function openCluster(
  plane: ControlPlane,
  place: { directory: string; server: string; token: string; started: number; withManager: boolean },
): Promise<Cluster> {
  const { directory, server, token } = place;
  await plane.start('etcd');
  await plane.start('kube-apiserver');
  const authority = await waitForFile(join(directory, 'pki', 'apiserver.crt'), plane);
  const agent = new Agent({ connect: { ca: authority } });
  const ask = async (method: string, path: string, body?: unknown, contentType = 'application/json') => {
    const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
    const answer = await request(server + path, { method: method as 'GET', headers, dispatcher: agent, ...payload });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  const ready = () => waitReady(ask, plane);
  await ready();
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, renderKubeconfig({ server, authority, token }), { mode: 0o600 });
  if (place.withManager) await plane.start('kube-controller-manager');
  await waitForDefaults(ask);
  const readyMs = performance.now() - place.started;
  const apply = (object: object, manager = 'test') => applyObject(ask, object, manager);
  return {
    directory,
    server,
    authority,
    token,
    kubeconfig,
    readyMs,
    request: ask,
    apply,
    kubectl: async (args, extra) => runKubectl(await binary('kubectl'), ['--kubeconfig', kubeconfig, ...args], extra),
    createUser: (name, rules) => createUser({ ask, apply, directory, server, authority }, name, rules),
    stopApiServer: () => plane.stop('kube-apiserver'),
    startApiServer: async () => {
      await plane.start('kube-apiserver');
      await ready();
    },
    restartApiServer: async () => {
      await plane.stop('kube-apiserver');
      await plane.start('kube-apiserver');
      await ready();
    },
    [Symbol.asyncDispose]: async () => {
      await agent.destroy();
      await plane[Symbol.asyncDispose]();
    },
  };
}

type Ask = (method: string, path: string, body?: unknown, contentType?: string) => Promise<Answer>;

async function applyObject(ask: Ask, object: object, manager: string): Promise<unknown> {
  const path = await pathOf(ask, object as Described);
  const query = `fieldManager=${encodeURIComponent(manager)}&force=true`;
  const answer = await ask('PATCH', `${path}?${query}`, object, 'application/apply-patch+yaml');
  if (answer.status >= 300) throw new Error(`apply ${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
}

interface Described {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

async function pathOf(ask: Ask, object: Described): Promise<string> {
  const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const answer = await ask('GET', root);
  const { resources = [] } = JSON.parse(answer.text) as {
    resources?: { name: string; kind: string; namespaced: boolean }[];
  };
  const resource = resources.find((one) => one.kind === object.kind && !one.name.includes('/'));
  if (resource === undefined) throw new Error(`${object.apiVersion} ${object.kind} is not served`);
  const space = resource.namespaced ? `/namespaces/${object.metadata.namespace ?? 'default'}` : '';
  return `${root}${space}/${resource.name}/${encodeURIComponent(object.metadata.name)}`;
}

async function createUser(
  cluster: {
    ask: Ask;
    apply: (object: object) => Promise<unknown>;
    directory: string;
    server: string;
    authority: string;
  },
  name: string,
  rules: readonly object[],
): Promise<KubeUser> {
  const rbac = 'rbac.authorization.k8s.io';
  const setRules = async (renewed: readonly object[]) => {
    await cluster.apply({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules: renewed });
  };
  await setRules(rules);
  const metadata = { name, namespace: 'default' };
  await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await cluster.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...metadata }],
  });
  const path = `/api/v1/namespaces/default/serviceaccounts/${name}/token`;
  const answer = await cluster.ask('POST', path, { spec: { expirationSeconds: 3600 } });
  const { status } = JSON.parse(answer.text) as { status: { token: string } };
  const kubeconfig = join(cluster.directory, `${name}.kubeconfig`);
  await writeFile(kubeconfig, renderKubeconfig({ ...cluster, token: status.token }), { mode: 0o600 });
  return { name, kubeconfig, token: status.token, setRules };
}

async function writeCredentials(directory: string, token: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const write = (name: string, text: string) => writeFile(join(directory, name), text, { mode: 0o600 });
  await write('accounts.key', privateKey);
  await write('accounts.pub', publicKey);
  await write('tokens.csv', `${token},admin,admin,system:masters\n`);
}

function etcdFlags(directory: string, port: number, peerPort: number): readonly string[] {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags(directory: string, port: number, etcdPort: number): readonly string[] {
  return [
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--cert-dir=${join(directory, 'pki')}`,
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    `--service-account-key-file=${join(directory, 'accounts.pub')}`,
    `--service-account-signing-key-file=${join(directory, 'accounts.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--allow-privileged=true',
    '--kubelet-preferred-address-types=InternalIP',
    '--endpoint-reconciler-type=none',
  ];
}

function managerFlags(directory: string, port: number): readonly string[] {
  return [
    `--kubeconfig=${join(directory, 'kubeconfig')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(directory, 'pki')}`,
    `--service-account-private-key-file=${join(directory, 'accounts.key')}`,
    `--root-ca-file=${join(directory, 'pki', 'apiserver.crt')}`,
    '--leader-elect=false',
  ];
}

async function waitForFile(path: string, plane: ControlPlane): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.includes('END CERTIFICATE')) return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the API server made no certificate: ${await plane.log('kube-apiserver')}`);
}

async function waitReady(ask: Ask, plane: ControlPlane): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask('GET', '/readyz').catch(() => undefined);
    if (answer?.status === 200) return;
    if (Date.now() > deadline) throw new Error(`the API server is not ready: ${await plane.log('kube-apiserver')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Some objects come a moment after readiness; nobody should find a cluster without its namespaces. */
async function waitForDefaults(ask: Ask): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answers = await Promise.all(
      ['/api/v1/namespaces/default', '/api/v1/namespaces/kube-system'].map((path) => ask('GET', path)),
    );
    if (answers.every((answer) => answer.status === 200)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the API server did not make its own namespaces');
}

function runKubectl(command: string, args: readonly string[], extra: { input?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`kubectl ${args.slice(2).join(' ')}: ${stderr}`, { cause: error }));
    });
    child.stdin?.end(extra.input ?? '');
  });
}

/** All held at once, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().on('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
