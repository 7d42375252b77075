import { renderJson } from '../core/json.ts';
import type { Sealer } from '../core/ports.ts';
import { fingerprintSecrets } from './fingerprint.ts';
import { openFingerprintKey, readFingerprintKey } from './fingerprint-key.ts';
import { leavesAt, replaceLeaves } from './leaves.ts';

/** What stands in the archive for a secret. There is no policy that leaves it readable. */

interface SealerOptions {
  /** fingerprint: a change shows, the value does not · encrypt: SOPS's JSON format for age · omit: only the key stays. */
  readonly policy: Sealer['policy'];
  /** Its lock is held by the caller; `fingerprint.key` in it is made when it is missing. */
  readonly dataDirectory: string;
  /** `age1...` public keys; used by `encrypt` alone. */
  readonly recipients: readonly string[];
  /** Milliseconds since the epoch; the clock unless told. */
  readonly now?: () => number;
  /** Look only: without a key there is none, and FINGERPRINT_KEY_INVALID is thrown. */
  readonly isReadOnly?: boolean;
}

const OMITTED = 'kubekeeper:omitted';

/** Checks everything before it writes: KeeperError RECIPIENT_INVALID, FINGERPRINT_KEY_INVALID or DATA_DIRECTORY_UNUSABLE. */
export async function openSealer({
  policy,
  dataDirectory,
  recipients,
  now,
  isReadOnly = false,
}: SealerOptions): Promise<Sealer> {
  const openKey = isReadOnly ? readFingerprintKey : openFingerprintKey;
  switch (policy) {
    case 'omit':
      return {
        policy,
        seal: async (object, _place, secrets) =>
          renderJson(replaceLeaves(object, leavesAt(object, secrets), () => OMITTED)),
      };
    case 'fingerprint': {
      const key = await openKey(dataDirectory);
      return {
        policy,
        seal: async (object, place, secrets) => renderJson(fingerprintSecrets(key, place, object, secrets)),
      };
    }
    case 'encrypt': {
      // Loaded here alone: most archives do without, and every start would pay for it.
      const { openRecipients } = await import('./recipients.ts');
      const { openEncryptingSeal } = await import('./encrypt.ts');
      const opened = await openRecipients(recipients);
      const key = await openKey(dataDirectory);
      return { policy, seal: openEncryptingSeal({ key, recipients: opened, now: now ?? Date.now }) };
    }
    default:
      return policy satisfies never;
  }
}
