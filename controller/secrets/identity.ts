import { armor, Decrypter, identityToRecipient } from 'age-encryption';
import { KeeperError } from '../errors.ts';
import { readPrivateFile } from './private-file.ts';

/** The age identities that open what is archived encrypted. Only a restore has them; no error and no answer ever holds one. */

export interface Identities {
  /** `age1...`: whom these identities are. */
  readonly recipients: ReadonlySet<string>;
  /** What was encrypted for one of them, from age's armor; undefined for anything else. */
  open(armored: string): Promise<Uint8Array | undefined>;
  /** 'others may read the identity file ...' */
  readonly warnings: readonly string[];
}

const LARGEST = 1024 * 1024;
/** Half a kilobyte each. */
const MOST_KEPT = 10_000;

/** Reads a file as age-keygen writes it: one identity a line, comments, several. Throws KeeperError IDENTITY_INVALID. */
export async function readIdentities(path: string): Promise<Identities> {
  const { text, warnings } = await readPrivateFile(path, { what: 'identity file', largest: LARGEST, invalid });
  if (/^(?:age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE-----)/.test(text.trimStart()))
    throw invalid(path, 'is protected by a passphrase: decrypt it with age first, into a file that only you may read');
  if (/^-----BEGIN /.test(text.trimStart()))
    throw invalid(path, 'holds an SSH or PEM key: an age identity (AGE-SECRET-KEY-...) is needed');
  const decrypter = new Decrypter();
  const recipients = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const identity = line.trim();
    if (identity === '' || identity.startsWith('#')) continue;
    const recipient = await addIdentity(decrypter, identity);
    if (recipient === undefined) throw invalid(path, `has no age identity in line ${index + 1}${hint(identity)}`);
    recipients.add(recipient);
  }
  if (recipients.size === 0) throw invalid(path, 'holds no identity (AGE-SECRET-KEY-...)');
  return { recipients, open: keep((armored) => open(decrypter, armored)), warnings };
}

/** A restore opens each file several times: for the plan, for its step and to compare at the end. */
function keep(open: Identities['open']): Identities['open'] {
  const kept = new Map<string, Uint8Array | undefined>();
  return async (armored) => {
    if (kept.has(armored)) return kept.get(armored);
    const opened = await open(armored);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(armored, opened);
    return opened;
  };
}

/** Errors of the library quote what they were given, so none of them goes on. */
async function addIdentity(decrypter: Decrypter, identity: string): Promise<string | undefined> {
  try {
    if (!identity.startsWith('AGE-SECRET-KEY-')) return undefined;
    const recipient = await identityToRecipient(identity);
    decrypter.addIdentity(identity);
    return recipient;
  } catch {
    return undefined;
  }
}

async function open(decrypter: Decrypter, armored: string): Promise<Uint8Array | undefined> {
  try {
    return await decrypter.decrypt(armor.decode(armored));
  } catch {
    return undefined;
  }
}

function hint(line: string): string {
  if (/^age1/.test(line)) return ': that is a public key';
  if (/^AGE-PLUGIN-/i.test(line)) return ': identities of plugins (hardware keys) cannot be used here';
  return '';
}

function invalid(path: string, problem: string): KeeperError {
  return new KeeperError(`The identity file "${path}" ${problem}; nothing was decrypted and nothing was changed`, {
    kind: 'invalid-input',
    code: 'IDENTITY_INVALID',
  });
}
