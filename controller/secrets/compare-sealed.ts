import type { KeyObject } from 'node:crypto';
import type { KubeObject } from '../core/object.ts';
import type { SealedComparer } from '../core/restore/ports.ts';
import { archivedFingerprint, fingerprintOf, type Place } from './fingerprint.ts';
import { hasFingerprintKey, readFingerprintKey } from './fingerprint-key.ts';
import { leavesAt } from './leaves.ts';

/**
 * Tells whether live values are those that were archived, without opening either: by the keyed fingerprints of the archive. Undefined
 * where the data directory has no key. Throws FINGERPRINT_KEY_INVALID.
 */
export async function openSealedComparer(dataDirectory: string): Promise<SealedComparer | undefined> {
  if (!hasFingerprintKey(dataDirectory)) return undefined;
  const key = await readFingerprintKey(dataDirectory);
  return { differing: (archived, live, pointers, where) => differing(key, { archived, live, pointers, where }) };
}

function differing(
  key: KeyObject,
  asked: {
    readonly archived: KubeObject;
    readonly live: KubeObject;
    readonly pointers: readonly string[];
    readonly where: Place;
  },
): readonly string[] {
  const { archived, live, pointers, where } = asked;
  return pointers.filter((pointer) => {
    const known = archivedFingerprint(archived, pointer);
    if (known === undefined) return false;
    const [leaf] = leavesAt(live, [pointer]);
    return leaf === undefined || fingerprintOf(key, where, leaf) !== known;
  });
}
