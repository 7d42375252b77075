import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, type Ask, applyObject, createApiClient } from './api-client.ts';
import { binary, findControllerManager } from './binaries.ts';
import type { Certificate, CertificateAuthority } from './certificates.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { type Credentials, writeCredentials } from './credentials.ts';
import { findFreePort } from './free-port.ts';
import { type KubeUser, renderKubeconfig } from './kubeconfig.ts';
import { runKubectl } from './kubectl.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags } from './process-flags.ts';
import { waitForDefaults, waitForReadiness } from './readiness.ts';
import { createServiceAccountUser } from './users.ts';

/** A real control plane on loopback: etcd, kube-apiserver and kube-controller-manager, gone with its holder. */

export interface ClusterOptions {
  /** Without it nothing collects garbage, scales or deletes namespaces; starts a little faster. */
  readonly controllerManager?: boolean;
  readonly apiServerArgs?: readonly string[];
  readonly controllerManagerArgs?: readonly string[];
  readonly etcdArgs?: readonly string[];
  /** Where the administrator's kubeconfig goes, instead of into the cluster's folder; removed at the end all the same. */
  readonly kubeconfig?: string;
}

export interface Cluster extends AsyncDisposable {
  /** Holds everything; removed at the end. */
  readonly directory: string;
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly authority: string;
  /** A bearer token of the administrator. */
  readonly token: string;
  /** The administrator's kubeconfig with a client certificate, a file. */
  readonly kubeconfig: string;
  readonly readyMs: number;
  /** The processes by name, and the supervisor that ends them. */
  readonly pids: Readonly<Record<string, number>>;
  /** As the administrator; any status is an answer. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** The real kubectl as the administrator; throws with what it said. */
  kubectl(args: readonly string[], options?: { input?: string }): Promise<string>;
  /** Server-side apply, as field manager 'test' unless named. */
  apply(object: object, manager?: string): Promise<unknown>;
  /** A kubeconfig file for a new service account with these cluster-wide rules; `setRules` changes them later. */
  createUser(name: string, rules: readonly object[]): Promise<KubeUser>;
  /** A kubeconfig file with a client certificate for any user and groups; what these may do is RBAC's. */
  createCertificateUser(name: string, groups?: readonly string[]): Promise<string>;
  /** As a crash would, unless `SIGTERM` asks it to end in order. */
  stopApiServer(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Resolves when it is ready. */
  startApiServer(): Promise<void>;
  restartApiServer(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

const ATTEMPTS = 3;

/** Resolves when the cluster is ready and has its own namespaces. Rejects with the end of the log of what did not start. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const commands = await findCommands(options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(commands, options);
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes('address already in use');
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

interface Commands {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string | undefined;
}

async function findCommands(options: ClusterOptions): Promise<Commands> {
  const withManager = options.controllerManager ?? true;
  return {
    etcd: await binary('etcd'),
    apiServer: await binary('kube-apiserver'),
    controllerManager: withManager ? await findControllerManager() : undefined,
  };
}

async function startOnce(commands: Commands, options: ClusterOptions): Promise<Cluster> {
  const started = performance.now();
  const directory = join(tmpdir(), `kubekeeper-cluster-${randomBytes(6).toString('hex')}`);
  const kubeconfig = options.kubeconfig ?? join(directory, 'kubeconfig');
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await openControlPlane(directory, [kubeconfig]));
  const access = await prepareAccess(directory);
  const { ask } = stack.use(createApiClient(access.server, access.authority, access.admin));
  const startApiServer = async () => {
    const flags = [...apiServerFlags(directory, access.port), ...(options.apiServerArgs ?? [])];
    await plane.start('kube-apiserver', [commands.apiServer, ...flags]);
    await waitForReadiness(ask, plane);
  };
  await plane.start('etcd', [commands.etcd, ...etcdFlags(directory), ...(options.etcdArgs ?? [])]);
  await startApiServer();
  await startControllerManager(plane, commands, access, options.controllerManagerArgs ?? []);
  await waitForDefaults(ask, plane, commands.controllerManager !== undefined);
  await writeKubeconfig(kubeconfig, access, access.admin);
  const readyMs = performance.now() - started;
  const held = stack.move();
  return {
    ...describeCluster(ask, plane, access, kubeconfig),
    readyMs,
    startApiServer,
    restartApiServer: async (signal) => {
      await plane.stop('kube-apiserver', signal);
      await startApiServer();
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

type Described = Omit<Cluster, 'readyMs' | 'startApiServer' | 'restartApiServer' | keyof AsyncDisposable>;

function describeCluster(ask: Ask, plane: ControlPlane, access: Access, kubeconfig: string): Described {
  const { server, authority, token } = access;
  const { directory } = plane;
  return {
    directory,
    server,
    authority,
    token,
    kubeconfig,
    pids: plane.pids,
    request: ask,
    apply: (object, manager = 'test') => applyObject(ask, object, manager),
    kubectl: (args, extra) => runKubectl(directory, kubeconfig, args, extra?.input),
    createUser: (name, rules) => createServiceAccountUser({ ask, directory, server, authority }, name, rules),
    createCertificateUser: async (name, groups) => {
      const path = join(directory, `${encodeURIComponent(name)}.certificate.kubeconfig`);
      await writeKubeconfig(path, access, access.issueClient(name, groups));
      return path;
    },
    stopApiServer: (signal) => plane.stop('kube-apiserver', signal),
  };
}

interface Access extends Omit<Credentials, 'authority'> {
  readonly port: number;
  readonly server: string;
  readonly token: string;
  /** PEM. */
  readonly authority: string;
  readonly issueClient: CertificateAuthority['issueClient'];
}

async function prepareAccess(directory: string): Promise<Access> {
  const token = randomBytes(16).toString('hex');
  const { authority, ...clients } = await writeCredentials(directory, token);
  const port = await findFreePort();
  const server = `https://127.0.0.1:${port}`;
  return { ...clients, port, server, token, authority: authority.certificate, issueClient: authority.issueClient };
}

async function startControllerManager(
  plane: ControlPlane,
  { controllerManager }: Commands,
  access: Access,
  args: readonly string[],
): Promise<void> {
  if (controllerManager === undefined) return;
  const kubeconfig = join(plane.directory, 'controller-manager.kubeconfig');
  await writeKubeconfig(kubeconfig, access, access.controllerManager);
  const flags = controllerManagerFlags(plane.directory, kubeconfig);
  await plane.start('kube-controller-manager', [controllerManager, ...flags, ...args]);
}

/** Complete as soon as it is there. */
async function writeKubeconfig(path: string, { server, authority }: Access, client: Certificate): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, renderKubeconfig({ server, authority, client }), { mode: 0o600 });
  await rename(draft, path);
}
