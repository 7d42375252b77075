import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { FileAuth } from '@kubernetes/client-node/dist/file_auth.js';
import { credentialsUnavailable } from './errors.ts';
import type { Impersonator } from './target.ts';

/** What proves who we are, for one request: headers, and a certificate for the connection. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly certificate?: string;
  readonly key?: string;
}

/** Adds what client-node's authenticators know (an Authorization header, a certificate) to the options of a request. */
export type Authenticate = (options: RequestOptions) => Promise<void>;

/** client-node's authenticators; OIDC and those of old clouds need its whole KubeConfig, which is loaded only for them. */
export async function authenticatorOf(user: Impersonator | undefined, cluster: Cluster): Promise<Authenticate> {
  if (user?.exec) {
    const plugin = new ExecAuth();
    const informed = { ...user, exec: withExecInfo(user.exec, cluster) };
    return (options) => plugin.applyAuthentication(informed, options);
  }
  if (user?.authProvider?.config?.tokenFile !== undefined) {
    const file = new FileAuth();
    return (options) => file.applyAuthentication(user, options);
  }
  if (!user?.authProvider) return async () => undefined;
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromClusterAndUser(cluster, user);
  return (options) => config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0]);
}

/** What a request needs now. Throws KeeperError CREDENTIALS_REFUSED when a file or a plug-in fails. */
export async function readCredentials(
  user: Impersonator | undefined,
  authenticate: Authenticate,
): Promise<Credentials> {
  if (user === undefined) return { headers: {} };
  const options: RequestOptions = { headers: {} };
  try {
    if (user.certFile ?? user.certData) options.cert = pemOf(user.certFile, user.certData);
    if (user.keyFile ?? user.keyData) options.key = pemOf(user.keyFile, user.keyData);
    await authenticate(options);
  } catch (error) {
    throw credentialsUnavailable(user.name, error);
  }
  return {
    headers: { ...headersOf(options), ...fixedHeaders(user) },
    ...(options.cert === undefined ? {} : { certificate: String(options.cert) }),
    ...(options.key === undefined ? {} : { key: String(options.key) }),
  };
}

/** The text of a PEM that is a file or, encoded in base64, part of the kubeconfig. */
export function pemOf(file: string | undefined, encoded: string | undefined): string {
  return file ? readFileSync(file, 'utf8') : Buffer.from(encoded ?? '', 'base64').toString();
}

/** Plug-ins are told what they are asked for (client.authentication.k8s.io, KUBERNETES_EXEC_INFO); client-node leaves it out. */
function withExecInfo(exec: Readonly<Record<string, unknown>>, cluster: Cluster): object {
  const { skipTLSVerify, server, caData } = cluster;
  const told = { server, 'insecure-skip-tls-verify': skipTLSVerify, 'certificate-authority-data': caData };
  const spec = { interactive: false, ...(exec['provideClusterInfo'] === true ? { cluster: told } : {}) };
  const value = JSON.stringify({ apiVersion: exec['apiVersion'], kind: 'ExecCredential', spec });
  const given = Array.isArray(exec['env']) ? exec['env'] : [];
  return { ...exec, env: [...given, { name: 'KUBERNETES_EXEC_INFO', value }] };
}

function fixedHeaders(user: Impersonator): Record<string, string | string[]> {
  const basic = Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64');
  return {
    ...(user.username ? { authorization: `Basic ${basic}` } : {}),
    ...(user.token ? { authorization: `Bearer ${user.token.trim()}` } : {}),
    ...(user.impersonateUser ? { 'impersonate-user': user.impersonateUser } : {}),
    ...(user.impersonateGroups.length > 0 ? { 'impersonate-group': [...user.impersonateGroups] } : {}),
  };
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers = Object.entries(options.headers ?? {});
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value).trim()]));
}
