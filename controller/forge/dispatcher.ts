import { X509Certificate } from 'node:crypto';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { unusable } from './errors.ts';

/** How a forge is reached. */
export interface Way {
  /** PEM; the only authorities that are trusted. The system's without it. */
  readonly ca?: string | undefined;
  /** The proxy for an address, undefined for none: pushes and forges must read the variables alike. */
  readonly proxyFor: (url: URL) => URL | undefined;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;
/** A forge is asked for one repository at a time, and GitHub frowns on more. */
const CONNECTIONS = 4;

/** The connections to one address. Throws KeeperError REMOTE_INVALID. */
export function openDispatcher(address: string, way: Way): Dispatcher {
  if (way.ca !== undefined && !isCertificates(way.ca)) {
    throw unusable('the authority of the remote is no certificate in PEM, check --remote-ca');
  }
  // Said explicitly: what Node takes for unsaid can be changed by its command line and its environment.
  const trust = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
  const tls = { ...trust, timeout: CONNECT_MS, ...(way.ca === undefined ? {} : { ca: way.ca }) };
  const common = {
    allowH2: false,
    connections: CONNECTIONS,
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
  };
  const proxy = way.proxyFor(new URL(address));
  if (proxy === undefined) return new Agent({ ...common, connect: tls });
  return new ProxyAgent({ ...common, uri: proxy.href, requestTls: tls });
}

/** One certificate or several in PEM; Node takes anything and fails only at the first connection. */
export function isCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}
