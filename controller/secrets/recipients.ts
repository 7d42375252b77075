import { Encrypter } from 'age-encryption';
import { KeeperError } from '../errors.ts';

/** Whom the archive is encrypted for. Only public keys are here: what is sealed, the controller itself cannot open. */

export interface Recipient {
  /** `age1...`, the public key of an X25519 identity. */
  readonly name: string;
  readonly encrypter: Encrypter;
}

/** Sorted, each once. Throws KeeperError RECIPIENT_INVALID; the message never holds what could be a private key. */
export async function openRecipients(texts: readonly string[]): Promise<readonly Recipient[]> {
  const names = [...new Set(texts.map((text) => text.trim()))].filter((name) => name !== '').sort();
  if (names.length === 0) {
    throw invalid(
      'Encrypting needs a recipient, and none was given; nothing was archived, give an age public key with --age-recipient',
    );
  }
  const recipients: Recipient[] = [];
  for (const name of names) recipients.push({ name, encrypter: await openEncrypter(name) });
  return recipients;
}

/** A trial finds what only fails when it is used: a wrong checksum, a point that gives no secret. */
async function openEncrypter(name: string): Promise<Encrypter> {
  if (/^age-secret-key-/i.test(name)) {
    throw invalid(
      'A recipient is a private key (AGE-SECRET-KEY-...), which must not come here; nothing was archived, give its public key (age-keygen -y FILE)',
    );
  }
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(name)) throw notARecipient(name);
  try {
    const encrypter = new Encrypter();
    encrypter.addRecipient(name);
    await encrypter.encrypt(new Uint8Array(32));
    return encrypter;
  } catch (cause) {
    throw notARecipient(name, cause);
  }
}

function notARecipient(name: string, cause?: unknown): KeeperError {
  const shown = name.startsWith('age1') ? ` "${name}"` : '';
  return invalid(
    `A recipient${shown} is no age X25519 public key (age1 and 58 characters); nothing was archived, check --age-recipient`,
    cause,
  );
}

function invalid(message: string, cause?: unknown): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'RECIPIENT_INVALID', cause });
}
