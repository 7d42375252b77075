import type { Clock, Credential, CredentialSource } from '../core/ports.ts';
import type { Material } from './credential-keys.ts';
import { CurrentKeys, type KeyPlace } from './current-keys.ts';
import type { Way } from './dispatcher.ts';
import { InstallationToken } from './installation-token.ts';
import { waitFor } from './wait-for.ts';

export interface CredentialOptions extends Way {
  readonly from: KeyPlace;
  /** Of the remote: a GitHub App's tokens are asked for at the API that belongs to it. */
  readonly origin: string;
  /** Of the remote's repositories: whose installation of a GitHub App it is when the keys do not say. */
  readonly owner?: string;
  readonly clock?: Clock;
}

export interface Credentials extends CredentialSource, AsyncDisposable {
  /** Always something: keys that hold nothing are an error. */
  get(options?: { readonly renew?: boolean; readonly signal?: AbortSignal }): Promise<Credential>;
  /** The keys' own `ca.crt`, PEM, which the connections to the remote need; undefined when they have none. Throws as `get`. */
  authority(): Promise<string | undefined>;
}

/** However many requests are refused at once, everything is read and asked for anew only once in this time. */
const RENEWAL_INTERVAL_MS = 2_000;

const SYSTEM_CLOCK: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };

/** Reads nothing yet. */
export function openCredentials(options: CredentialOptions): Credentials {
  return new KeptCredentials(options);
}

class KeptCredentials implements Credentials {
  readonly #options: CredentialOptions;
  readonly #clock: Clock;
  readonly #keys: CurrentKeys;
  #installation: { readonly of: Material; readonly token: InstallationToken } | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: CredentialOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#keys = new CurrentKeys(options.from, this.#clock);
  }

  get(options: { readonly renew?: boolean; readonly signal?: AbortSignal } = {}): Promise<Credential> {
    return waitFor(this.#get(options.renew === true && this.#mayRenew()), options.signal);
  }

  async authority(): Promise<string | undefined> {
    return (await this.#keys.get({ renew: false })).authority;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#installation?.token[Symbol.asyncDispose]();
  }

  async #get(renew: boolean): Promise<Credential> {
    const material = await this.#keys.get({ renew });
    if (material.kind === 'token') return { kind: 'token', token: material.token };
    if (material.kind === 'basic') return { kind: 'basic', username: material.username, password: material.password };
    return { kind: 'token', token: await this.#installationOf(material).get({ renew }) };
  }

  #mayRenew(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#renewedAt < RENEWAL_INTERVAL_MS) return false;
    this.#renewedAt = now;
    return true;
  }

  /** Other keys are another installation; the old one's connections end when what it was asked is answered. */
  #installationOf(material: Extract<Material, { kind: 'app' }>): InstallationToken {
    if (this.#installation?.of !== material) {
      this.#installation?.token.retire();
      const ca = this.#options.ca ?? material.authority;
      const token = new InstallationToken(material, { ...this.#options, ca, clock: this.#clock });
      this.#installation = { of: material, token };
    }
    return this.#installation.token;
  }
}
