import type { Octokit } from '@octokit/rest';
import type { Dispatcher } from 'undici';
import type { Clock } from '../core/ports.ts';
import { openApi } from './api.ts';
import { signAppToken } from './app-token.ts';
import type { AppKeys } from './credential-keys.ts';
import { openDispatcher, type Way } from './dispatcher.ts';
import { appRefused, invalidCredentials, unreachable } from './errors.ts';
import { GITHUB_HEADERS, githubAddress } from './github-address.ts';
import { Refusal } from './refusal.ts';
import { serverTime } from './retry-after.ts';

export interface InstallationOptions extends Way {
  /** Of the remote. */
  readonly origin: string;
  /** Whose installation it is when the keys name neither it nor an owner. */
  readonly owner?: string | undefined;
  readonly clock: Clock;
}

/** Before its end, so that a push that takes long does not outlive it. */
const MARGIN_MS = 5 * 60_000;
/** GitHub's tokens live for an hour. */
const LONGEST_MS = 60 * 60_000;

/** The tokens of one installation of a GitHub App: asked for when needed, one request for all who wait. */
export class InstallationToken implements AsyncDisposable {
  readonly #keys: AppKeys;
  readonly #options: InstallationOptions;
  readonly #address: string;
  readonly #api: Octokit;
  readonly #dispatcher: Dispatcher;
  #current: { readonly token: string; readonly until: number } | undefined;
  #asking: Promise<string> | undefined;

  /** Throws KeeperError REMOTE_INVALID for what no connection can be made with. */
  constructor(keys: AppKeys, options: InstallationOptions) {
    this.#keys = keys;
    this.#options = options;
    this.#address = keys.baseUrl ?? githubAddress(options.origin);
    this.#dispatcher = openDispatcher(this.#address, options);
    this.#api = openApi({
      baseUrl: this.#address,
      dispatcher: this.#dispatcher,
      headers: GITHUB_HEADERS,
      // A refused JWT is not signed again: the key or the clock is wrong.
      authorize: async ({ renew }) => {
        if (renew) return undefined;
        const jwt = signAppToken(keys, options.clock.wall());
        return { header: `Bearer ${jwt}`, secrets: [jwt] };
      },
    });
  }

  /** Throws KeeperError REMOTE_CREDENTIALS_REFUSED for what GitHub does not know, and REMOTE_UNREACHABLE. */
  get(options: { readonly renew: boolean }): Promise<string> {
    const { clock } = this.#options;
    if (this.#asking !== undefined) return this.#asking;
    if (!options.renew && this.#current !== undefined && clock.monotonic() < this.#current.until) {
      return Promise.resolve(this.#current.token);
    }
    this.#asking = this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Ends the connections when what was asked is answered. */
  retire(): void {
    this.#dispatcher.close().catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #ask(): Promise<string> {
    const asked = this.#options.clock.monotonic();
    const installation_id = await this.#findInstallation();
    const what = `installation ${installation_id} of App "${this.#keys.appId}"`;
    const { data, headers } = await this.#refusing(what, () =>
      this.#api.rest.apps.createInstallationAccessToken({ installation_id }),
    );
    const expires = Date.parse(data.expires_at);
    if (typeof data.token !== 'string' || data.token === '' || Number.isNaN(expires)) {
      throw unreachable(this.#address, 'its answer holds no token');
    }
    // By its own clock: ours may be wrong, and may jump.
    const lifetime = Math.min(expires - (serverTime(headers) ?? this.#options.clock.wall()), LONGEST_MS);
    this.#current = { token: data.token, until: asked + lifetime - MARGIN_MS };
    return data.token;
  }

  /** Looked up each time: an App that is installed anew has another one. */
  async #findInstallation(): Promise<number> {
    if (this.#keys.installationId !== undefined) return this.#keys.installationId;
    const owner = this.#keys.installationOwner ?? this.#options.owner;
    if (owner === undefined || owner === '') {
      const names = 'neither "githubAppInstallationID" nor "githubAppInstallationOwner" is there';
      throw invalidCredentials(`the keys of App "${this.#keys.appId}"`, names);
    }
    return this.#lookUpInstallation(owner);
  }

  /** GitHub has two places to ask at, and a name does not say which is its. */
  async #lookUpInstallation(owner: string): Promise<number> {
    const what = `App "${this.#keys.appId}" for "${owner}"`;
    const { data } = await this.#refusing(what, async () => {
      try {
        return await this.#api.rest.apps.getOrgInstallation({ org: owner });
      } catch (error) {
        if (!(error instanceof Refusal && error.status === 404)) throw error;
        return this.#api.rest.apps.getUserInstallation({ username: owner });
      }
    });
    if (typeof data.id !== 'number') throw unreachable(this.#address, 'its answer names no installation');
    return data.id;
  }

  async #refusing<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal === undefined) throw error;
      throw appRefused(this.#address, what, refusal, adviceOf(refusal.status));
    }
  }
}

/** A 401 comes translated already. */
function refusalIn(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  return error instanceof Error && error.cause instanceof Refusal && error.cause.status === 401
    ? error.cause
    : undefined;
}

function adviceOf(status: number): string {
  if (status === 401) return 'check githubAppID, githubAppPrivateKey and the clock of this machine';
  if (status === 404)
    return 'check githubAppInstallationID or githubAppInstallationOwner, and that the App is installed there';
  return status === 403 ? 'see whether the installation is suspended' : 'check the keys of the App';
}
