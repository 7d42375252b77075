import type { Clock } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import { type Keys, type Material, parseKeys } from './credential-keys.ts';
import { invalidCredentials } from './errors.ts';
import { lookAtKeyFiles } from './key-files.ts';

/** Where the keys come from. */
export type KeyPlace =
  /** A file with a token, or a directory with one file per key. */
  | { readonly path: string }
  /** A Secret: its name for messages, and what reads it; values are decoded. Undefined when there is none of that name. */
  | { readonly secret: string; readonly read: () => Promise<Readonly<Record<string, string>> | undefined> };

/** What was read stays good for so long, unless a file shows that it changed. */
const FRESH_MS = 60_000;
/** A user must not meet the password of another version: files that are being written are looked at again. */
const MOST_LOOKS = 50;

interface Reading {
  readonly identity: string;
  readonly at: number;
  readonly text: string;
  readonly material: Material;
}

/** The keys as they are now: read again when a file changed, when asked to, and once a minute in any case. */
export class CurrentKeys {
  readonly #place: KeyPlace;
  readonly #clock: Clock;
  #last: Reading | undefined;
  #reading: { readonly isRenewal: boolean; readonly work: Promise<Material> } | undefined;

  constructor(place: KeyPlace, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** The same value as long as the keys say the same. Throws KeeperError REMOTE_CREDENTIALS_INVALID, and what reads the Secret throws. */
  get(options: { readonly renew: boolean }): Promise<Material> {
    const before = this.#reading;
    if (before !== undefined && (before.isRenewal || !options.renew)) return before.work;
    const work = this.#readAfter(before?.work, options.renew).finally(() => {
      if (this.#reading?.work === work) this.#reading = undefined;
    });
    this.#reading = { isRenewal: options.renew, work };
    return work;
  }

  /** One that is under way may have found that nothing changed, which is no answer to a renewal. */
  async #readAfter(before: Promise<Material> | undefined, renew: boolean): Promise<Material> {
    await before?.catch(() => undefined);
    return this.#read(renew);
  }

  async #read(renew: boolean): Promise<Material> {
    return 'path' in this.#place ? this.#readFiles(this.#place.path, renew) : this.#readSecret(this.#place, renew);
  }

  /** What was the same before and after reading was read as a whole. */
  async #readFiles(path: string, renew: boolean): Promise<Material> {
    for (let looks = 1; looks <= MOST_LOOKS; looks++) {
      const files = await lookAtKeyFiles(path);
      if (!renew && this.#isFresh(files.identity)) return (this.#last as Reading).material;
      const keys = await files.read();
      const after = await lookAtKeyFiles(path);
      if (after.identity === files.identity) return this.#keep(files.identity, keys);
    }
    throw invalidCredentials(`"${path}"`, 'it changes all the time');
  }

  async #readSecret(place: Extract<KeyPlace, { secret: string }>, renew: boolean): Promise<Material> {
    if (!renew && this.#isFresh('')) return (this.#last as Reading).material;
    const name = `Secret "${place.secret}"`;
    try {
      const values = await place.read();
      if (values === undefined) throw invalidCredentials(name, 'it does not exist');
      const nameOf = (key: string) => `key "${key}" of ${name}`;
      return this.#keep('', { values: new Map(Object.entries(values)), name, nameOf });
    } catch (error) {
      const isPassing = error instanceof KeeperError && error.kind === 'transient';
      // An API server that is away says nothing about the keys; the remote will say when they are too old.
      if (isPassing && !renew && this.#last !== undefined) return this.#last.material;
      throw error;
    }
  }

  #isFresh(identity: string): boolean {
    const last = this.#last;
    return last !== undefined && last.identity === identity && this.#clock.monotonic() - last.at < FRESH_MS;
  }

  #keep(identity: string, keys: Keys): Material {
    const text = JSON.stringify([...keys.values].sort());
    const material = this.#last?.text === text ? this.#last.material : parseKeys(keys);
    this.#last = { identity, at: this.#clock.monotonic(), text, material };
    return material;
  }
}
