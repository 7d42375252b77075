import type { KeyObject } from 'node:crypto';
import { parseJson, renderJson } from '../core/json.ts';
import { isJsonObject, type Json, type JsonObject, objectAt } from '../core/object.ts';
import { valueAt } from '../core/pointer.ts';
import type { Sealer } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import { archivedFingerprint, fingerprintOf, type Place } from './fingerprint.ts';
import { readFingerprintKey } from './fingerprint-key.ts';
import { type Leaf, leavesAt, replaceLeaves } from './leaves.ts';

/** Seals a live object only to compare it with its archived file: no key is made, nothing is encrypted, and any policy will do. */

export interface ComparingSealer {
  readonly sealer: Sealer;
  /** Files with values that could not be compared, as `REPOSITORY/PATH`. */
  readonly unknown: ReadonlySet<string>;
  /** Why; undefined when all can be. */
  readonly reason: string | undefined;
}

/** What stands for a value that is another than the archived one. */
const CHANGED = 'kubekeeper:changed';
const FINGERPRINT = 'kubekeeper:hmac-sha256:';

/** Values that are archived as fingerprints or encrypted are compared by the data directory's key; without it they are taken for equal. */
export async function openComparingSealer(dataDirectory: string): Promise<ComparingSealer> {
  const key = await readKey(dataDirectory);
  const unknown = new Set<string>();
  return {
    sealer: {
      policy: 'fingerprint',
      seal: async (object, place, secrets, previous) => {
        const archived = parse(await previous());
        const leaves = leavesAt(object, secrets);
        const sealing = new Comparison(key instanceof KeeperError ? undefined : key, place, archived);
        const sealed = replaceLeaves(object, leaves, (leaf) => sealing.seal(leaf)) as JsonObject;
        if (sealing.isUnsure) unknown.add(`${place.repository}/${place.path}`);
        const sops = sealing.sops();
        return renderJson(sops === undefined || Object.hasOwn(object, 'sops') ? sealed : { ...sealed, sops });
      },
    },
    unknown,
    reason: key instanceof KeeperError ? key.message : undefined,
  };
}

async function readKey(dataDirectory: string): Promise<KeyObject | KeeperError> {
  try {
    return await readFingerprintKey(dataDirectory);
  } catch (error) {
    if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
    return error;
  }
}

function parse(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class Comparison {
  isUnsure = false;
  readonly #key: KeyObject | undefined;
  readonly #place: Place;
  readonly #archived: Json | undefined;
  /** Pointer to fingerprint, of the values that are encrypted there and other ones here. */
  readonly #changed = new Map<string, string>();

  constructor(key: KeyObject | undefined, place: Place, archived: Json | undefined) {
    this.#key = key;
    this.#place = place;
    this.#archived = archived;
  }

  seal(leaf: Leaf): Json {
    const old = valueAt(this.#archived, leaf.pointer);
    if (typeof old !== 'string') return CHANGED;
    if (old.startsWith(FINGERPRINT) || old.startsWith('ENC['))
      return this.#sameOr(leaf, old, archivedFingerprint(this.#archived, leaf.pointer));
    // Omitted, or what sops leaves in clear: an empty value.
    return old === 'kubekeeper:omitted' || leaf.value === old ? old : CHANGED;
  }

  #sameOr(leaf: Leaf, old: string, fingerprint: string | undefined): string {
    if (this.#key === undefined || fingerprint === undefined) {
      this.isUnsure = true;
      return old;
    }
    const own = fingerprintOf(this.#key, this.#place, leaf);
    if (own === fingerprint) return old;
    this.#changed.set(leaf.pointer, own);
    return CHANGED;
  }

  /** The archived block, with other fingerprints where values are other ones, as an encryption would have it. */
  sops(): Json | undefined {
    const block = objectAt(this.#archived, 'sops');
    const own = objectAt(block, 'kubekeeper');
    if (block === undefined || own === undefined || this.#changed.size === 0) return block;
    const fingerprints = { ...this.#fingerprints(), ...Object.fromEntries(this.#changed) };
    return { ...block, kubekeeper: { ...own, fingerprints } };
  }

  #fingerprints(): JsonObject {
    const found = objectAt(objectAt(objectAt(this.#archived, 'sops'), 'kubekeeper'), 'fingerprints');
    return isJsonObject(found) ? found : {};
  }
}
