import { type KeyObject, randomBytes } from 'node:crypto';
import { armor } from 'age-encryption';
import { renderJson } from '../core/json.ts';
import type { Sealer } from '../core/ports.ts';
import { fingerprintSecrets, hashParts, type Place } from './fingerprint.ts';
import { createRecent } from './recent.ts';
import type { Recipient } from './recipients.ts';
import { type DataKey, encryptFile, fingerprintLeaves, keepFile, type Sealing } from './sops-file.ts';
import { planSops } from './sops-plan.ts';

/** Seals for age recipients. What did not change keeps its ciphertext, although nothing here can decrypt. */

interface EncryptOptions {
  readonly key: KeyObject;
  readonly recipients: readonly Recipient[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The last sealing of one file by this process. */
interface Remembered {
  readonly dataKey: DataKey;
  /** Keyed hash of the sealed values. */
  readonly content: string;
  readonly lastModified: string;
}

/** Data keys in memory, about 1 KB each; beyond them, a changed file gets a new one and all its ciphertexts change. */
const REMEMBERED_FILES = 4096;

/**
 * Unchanged values give the same bytes, from memory or, after a restart, from the archived file. A changed value gets a new
 * ciphertext alone while the data key is remembered; after a restart the whole file gets a new data key.
 * An object that has a field `sops` of its own cannot be a sops file; its secrets become fingerprints.
 */
export function openEncryptingSeal({ key, recipients, now }: EncryptOptions): Sealer['seal'] {
  const remembered = createRecent<Remembered>(REMEMBERED_FILES);
  const names = recipients.map((recipient) => recipient.name);
  return async (object, place, secrets, previous) => {
    if (Object.hasOwn(object, 'sops')) return renderJson(fingerprintSecrets(key, place, object, secrets));
    const plan = planSops(object, secrets);
    if (plan.leaves.length === 0) return renderJson(object);
    const sealing: Sealing = { place, object, plan, fingerprints: fingerprintLeaves(key, place, plan.leaves) };
    const content = hashParts(key, ['content', plan.regex, ...sealing.fingerprints.values()]);
    const last = remembered.get(nameOf(place));
    if (last?.content === content) return encryptFile(key, sealing, last.dataKey, last.lastModified);
    const archived = await previous();
    const kept = archived === undefined ? undefined : keepFile(key, sealing, names, archived);
    if (kept !== undefined) return kept;
    const dataKey = last?.dataKey ?? (await makeDataKey(recipients));
    const lastModified = secondsOf(now());
    remembered.set(nameOf(place), { dataKey, content, lastModified });
    return encryptFile(key, sealing, dataKey, lastModified);
  };
}

async function makeDataKey(recipients: readonly Recipient[]): Promise<DataKey> {
  const key = randomBytes(32);
  const sealed = recipients.map(async ({ name, encrypter }) => ({
    recipient: name,
    enc: armor.encode(await encrypter.encrypt(key)),
  }));
  return { key, recipients: await Promise.all(sealed) };
}

function nameOf({ repository, path }: Place): string {
  return `${repository}/${path}`;
}

/** RFC 3339 in whole seconds, which sops reads back to the same text. */
function secondsOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
