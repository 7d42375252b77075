import { createSecureContext } from 'node:tls';
import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { type Credentials, pemOf } from './authenticate.ts';
import { describeFailure, invalidKubeconfig } from './errors.ts';
import type { Target } from './target.ts';

/** The connections to one server: one undici dispatcher, replaced only when a certificate was renewed. */
export interface Transport {
  dispatcherFor(credentials: Credentials): Dispatcher;
  close(): Promise<void>;
}

interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;

export function openTransport(cluster: Cluster): Transport {
  let authority = authorityOf(cluster);
  let current: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;
  return {
    dispatcherFor(credentials) {
      // Authorities and certificates are renewed in place, in files; connections made with the old ones end by themselves.
      authority = tryAuthorityOf(cluster) ?? authority;
      const tls = tlsOptionsOf(cluster, authority, credentials);
      const key = JSON.stringify(tls);
      if (current?.key !== key) {
        current?.dispatcher.close().catch(() => undefined);
        current = { key, dispatcher: openDispatcher(cluster, tls) };
      }
      return current.dispatcher;
    },
    async close() {
      await current?.dispatcher.destroy();
    },
  };
}

/** Finds wrong files and damaged certificates before anything is contacted. Throws KeeperError KUBECONFIG_INVALID. */
export function checkTls(target: Target): void {
  const { cluster, user } = target;
  try {
    const { protocol } = new URL(cluster.server);
    if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`${protocol} is no protocol of an API server`);
    const ca = authorityOf(cluster);
    createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...((user?.certFile ?? user?.certData) ? { cert: pemOf(user?.certFile, user?.certData) } : {}),
      ...((user?.keyFile ?? user?.keyData) ? { key: pemOf(user?.keyFile, user?.keyData) } : {}),
    });
  } catch (error) {
    const what = `the server or a certificate of context "${target.context}"`;
    throw invalidKubeconfig(
      `Kubeconfig: cannot use ${what}: ${describeFailure(error)}; correct it or choose another with --context`,
      error,
    );
  }
}

/** HTTP/1.1 on purpose: one HTTP/2 connection would carry all watches, and its stall would hit all of them. */
function openDispatcher(cluster: Cluster, tls: TlsOptions): Dispatcher {
  const common = { allowH2: false, keepAliveTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0 };
  if (cluster.proxyUrl) return new ProxyAgent({ ...common, uri: cluster.proxyUrl, requestTls: tls });
  return new Agent({ ...common, connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAliveInitialDelay: 30_000 } });
}

function tlsOptionsOf(cluster: Cluster, ca: string | undefined, credentials: Credentials): TlsOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(credentials.certificate === undefined ? {} : { cert: credentials.certificate }),
    ...(credentials.key === undefined ? {} : { key: credentials.key }),
    ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    rejectUnauthorized: !cluster.skipTLSVerify,
  };
}

function authorityOf(cluster: Cluster): string | undefined {
  return cluster.caFile || cluster.caData ? pemOf(cluster.caFile, cluster.caData) : undefined;
}

function tryAuthorityOf(cluster: Cluster): string | undefined {
  try {
    return authorityOf(cluster);
  } catch {
    // Read at the start, gone for a moment while it is renewed: the last one goes on to hold.
    return undefined;
  }
}
