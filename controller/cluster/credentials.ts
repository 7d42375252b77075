import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import { type Authenticate, authenticatorOf, type Credentials, readCredentials } from './authenticate.ts';
import type { Target } from './target.ts';

export interface CredentialSource {
  /** What to send now; asked before every request. Concurrent askers share one run of a plug-in. Throws KeeperError. */
  get(): Promise<Credentials>;
  /** After a 401 with `refused`: everything is read or fetched anew, once for all who were refused with the same. */
  renew(refused: Credentials): Promise<Credentials>;
}

/** A plug-in may open a browser or ask a cloud: however many requests are refused, it is not run more often. */
const RENEWAL_INTERVAL_MS = 2_000;

/** `reload` reads the kubeconfig again: tokens in it are rotated too. `now` is monotonic, in milliseconds. */
export async function openCredentials(
  target: Target,
  reload: () => Target,
  now: () => number = performance.now.bind(performance),
): Promise<CredentialSource> {
  const source = new SharedCredentials(target, reload, now, await authenticatorOf(target.user, target.cluster));
  return { get: () => source.get(), renew: (refused) => source.renew(refused) };
}

class SharedCredentials implements CredentialSource {
  readonly #cluster: Cluster;
  readonly #reload: () => Target;
  readonly #now: () => number;
  #user: Target['user'];
  #authenticate: Authenticate;
  #current: Credentials | undefined;
  #reading: Promise<Credentials> | undefined;
  #renewing: Promise<Credentials> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(target: Target, reload: () => Target, now: () => number, authenticate: Authenticate) {
    this.#cluster = target.cluster;
    this.#user = target.user;
    this.#reload = reload;
    this.#now = now;
    this.#authenticate = authenticate;
  }

  get(): Promise<Credentials> {
    if (this.#renewing !== undefined) return this.#renewing;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  renew(refused: Credentials): Promise<Credentials> {
    if (this.#renewing === undefined) {
      const isStale = this.#current !== undefined && this.#current !== refused;
      if (isStale || this.#now() - this.#renewedAt < RENEWAL_INTERVAL_MS) return this.get();
      this.#renewedAt = this.#now();
      this.#renewing = this.#renew().finally(() => {
        this.#renewing = undefined;
      });
    }
    return this.#renewing;
  }

  /** A new authenticator has no cache: the plug-in runs, the token file is read. */
  async #renew(): Promise<Credentials> {
    await this.#reading?.catch(() => undefined);
    this.#user = this.#reloadUser();
    this.#authenticate = await authenticatorOf(this.#user, this.#cluster);
    this.#current = undefined;
    return this.#read();
  }

  /** Equal credentials stay the same value, so that who was refused with them is seen by identity. */
  async #read(): Promise<Credentials> {
    const fresh = await readCredentials(this.#user, this.#authenticate);
    if (this.#current === undefined || JSON.stringify(this.#current) !== JSON.stringify(fresh)) this.#current = fresh;
    return this.#current;
  }

  /** The user of the same context, as long as it still means the same server: one archive must never mix two clusters. */
  #reloadUser(): Target['user'] {
    try {
      const fresh = this.#reload();
      return fresh.cluster.server === this.#cluster.server ? fresh.user : this.#user;
    } catch {
      // The file is being rewritten at this moment: the next refusal reads it again.
      return this.#user;
    }
  }
}
