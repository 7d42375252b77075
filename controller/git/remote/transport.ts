import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { CredentialSource } from '../../core/ports.ts';
import type { RemotePlace } from '../../core/remote.ts';
import { KeeperError } from '../../errors.ts';
import { checkAuthorities } from './authorities.ts';
import { type ProxyVariables, proxyFor } from './proxy.ts';

/** One repository at a Git server, and the way to it. */
export interface Remote {
  readonly place: RemotePlace;
  readonly transport: Transport;
  /** Shown to `place.origin` and to nobody else. */
  readonly credentials?: CredentialSource;
}

/** How long a remote may take and how much it may send. A request is bounded by silence, never by its length. */
export interface Limits {
  /** Until a connection stands, with TLS. */
  readonly connectMs: number;
  /** From the last byte of a request to the head of its answer. */
  readonly headersMs: number;
  /** Without a byte taken from us or sent to us. */
  readonly silenceMs: number;
  /** Of the list of refs: some 200,000 of them. */
  readonly advertisementBytes: number;
  /** Of the answer to a push. */
  readonly reportBytes: number;
  /** Of one fetched pack, so that a remote cannot fill the disk without end. */
  readonly packBytes: number;
}

const MIB = 1024 * 1024;

const LIMITS: Limits = {
  connectMs: 10_000,
  headersMs: 60_000,
  silenceMs: 60_000,
  advertisementBytes: 32 * MIB,
  reportBytes: 16 * MIB,
  packBytes: 16 * 1024 * MIB,
};

export interface TransportOptions {
  /** Certificates in PEM that the remote's own must come from; they replace the usual ones, as with curl's --cacert. */
  readonly ca?: string;
  readonly limits?: Partial<Limits>;
  /** Where the proxy variables are read, once. */
  readonly variables?: ProxyVariables;
}

/** The connections of the process to all its remotes. */
export interface Transport extends AsyncDisposable {
  readonly limits: Limits;
  /** The pool that a URL's requests go through: direct, or by the proxy that the variables name. */
  dispatcherFor(url: URL): Dispatcher;
  /** Where a place answers that was redirected to by its own origin; its own URL otherwise. */
  baseOf(place: RemotePlace): string;
  /** Remembers it for the requests that follow a discovery. */
  setBase(place: RemotePlace, base: string): void;
}

/**
 * Contacts nobody yet. Throws KeeperError REMOTE_INVALID for a CA that holds no certificate, REMOTE_UNTRUSTED where the
 * environment switches off the check of certificates.
 */
export function openTransport(options: TransportOptions = {}): Transport {
  const variables = options.variables ?? process.env;
  refuseBlindTrust(variables);
  const { ca } = options;
  if (ca !== undefined) checkAuthorities(ca);
  return new Connections({ ...LIMITS, ...options.limits }, ca, variables);
}

class Connections implements Transport {
  readonly limits: Limits;
  readonly #variables: ProxyVariables;
  readonly #tls: object;
  readonly #direct: Agent;
  readonly #proxies = new Map<string, ProxyAgent>();
  readonly #bases = new Map<string, string>();

  constructor(limits: Limits, ca: string | undefined, variables: ProxyVariables) {
    this.limits = limits;
    this.#variables = variables;
    this.#tls = { ...STRICT, ...(ca === undefined ? {} : { ca }) };
    this.#direct = new Agent({ ...COMMON, connect: { ...this.#tls, timeout: limits.connectMs } });
  }

  dispatcherFor(url: URL): Dispatcher {
    const proxy = proxyFor(url, this.#variables);
    if (proxy === undefined) return this.#direct;
    const known = this.#proxies.get(proxy.href);
    if (known !== undefined) return known;
    const { connectMs } = this.limits;
    // The proxy is told host and port (CONNECT); TLS and what is sent in it is between us and the remote.
    const agent = new ProxyAgent({
      ...COMMON,
      uri: proxy.href,
      requestTls: this.#tls,
      // A proxy with TLS of its own is trusted as usual: it is not the remote.
      proxyTls: STRICT,
      connectTimeout: connectMs,
      clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: connectMs }),
    });
    this.#proxies.set(proxy.href, agent);
    return agent;
  }

  baseOf(place: RemotePlace): string {
    return this.#bases.get(place.url) ?? place.url;
  }

  setBase(place: RemotePlace, base: string): void {
    if (base === place.url) this.#bases.delete(place.url);
    else this.#bases.set(place.url, base);
  }

  /** Cuts what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#direct, ...this.#proxies.values()].map((dispatcher) => dispatcher.destroy()));
  }
}

/** HTTP/1.1 on purpose: the stall of one connection must not hit all repositories. Time is watched by exchange.ts. */
const COMMON = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 } as const;

/** Said explicitly: what Node takes for unsaid can be changed by its command line and its environment. */
const STRICT = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;

function refuseBlindTrust(variables: ProxyVariables): void {
  if (variables['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return;
  throw new KeeperError(
    'NODE_TLS_REJECT_UNAUTHORIZED=0 would send credentials to anybody; nothing was sent, unset it and give the CA of the remote with --remote-ca',
    { kind: 'invalid-input', code: 'REMOTE_UNTRUSTED' },
  );
}
