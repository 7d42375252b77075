import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, link, open, rm } from 'node:fs/promises';
import { KeeperError } from '../errors.ts';

/**
 * `DATA_DIR/fingerprint.key`: 32 random bytes in hex, readable by its owner only. With it, guesses of a secret can be tested against
 * the archive, so it never leaves the data directory. When it is lost, a new one is made and every fingerprint changes once.
 */

const FINGERPRINT_KEY_FILE = 'fingerprint.key';

/**
 * The key of a data directory whose lock the caller holds; made where there is none, never overwritten. Throws KeeperError
 * FINGERPRINT_KEY_INVALID for a key that other users can read or that is damaged, DATA_DIRECTORY_UNUSABLE when the disk refuses.
 */
export async function openFingerprintKey(directory: string): Promise<KeyObject> {
  const path = `${directory}/${FINGERPRINT_KEY_FILE}`;
  try {
    // A draft is what a killed process left behind.
    await rm(draftOf(path), { force: true });
    return (await readKey(path, mendRights)) ?? (await makeKey(directory, path));
  } catch (cause) {
    throw unusable(path, cause);
  }
}

export function hasFingerprintKey(directory: string): boolean {
  return existsSync(`${directory}/${FINGERPRINT_KEY_FILE}`);
}

/** The key beside whoever holds the lock: nothing is made or mended. Throws FINGERPRINT_KEY_INVALID where there is none. */
export async function readFingerprintKey(directory: string): Promise<KeyObject> {
  const path = `${directory}/${FINGERPRINT_KEY_FILE}`;
  try {
    const key = await readKey(path, async () => {});
    if (key !== undefined) return key;
  } catch (cause) {
    throw unusable(path, cause);
  }
  throw invalidKey(
    `There is no fingerprint key "${path}", so secret values cannot be compared; the next archive makes one`,
  );
}

function unusable(path: string, cause: unknown): KeeperError {
  if (cause instanceof KeeperError) return cause;
  return new KeeperError(
    `Cannot keep the fingerprint key "${path}": ${codeOf(cause) ?? 'unknown error'}; the archive is unchanged, mend the rights of the data directory`,
    { kind: 'invalid-input', code: 'DATA_DIRECTORY_UNUSABLE', cause },
  );
}

type Mend = (file: FileHandle) => Promise<void>;

const mendRights: Mend = (file) => file.chmod(0o600);

async function readKey(path: string, mend: Mend): Promise<KeyObject | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    await refuseOpenRights(file, path, mend);
    return parseKey(await file.readFile('utf8'), path);
  } finally {
    await file.close();
  }
}

async function refuseOpenRights(file: FileHandle, path: string, mend: Mend): Promise<void> {
  const { mode, uid } = await file.stat();
  if ((mode & 0o007) !== 0) {
    throw invalidKey(
      `The fingerprint key "${path}" can be read by other users; nothing was archived, run: chmod 0600 ${path} (or delete it: every fingerprint then changes once)`,
    );
  }
  // A pod's fsGroup gives the group rights to every file of a volume at each mount.
  if ((mode & 0o070) !== 0 && uid === process.getuid?.()) await mend(file);
}

function parseKey(text: string, path: string): KeyObject {
  if (!/^[0-9a-f]{64}\n?$/.test(text)) {
    throw invalidKey(
      `The fingerprint key "${path}" is damaged; nothing was archived, restore it or delete it (every fingerprint then changes once)`,
    );
  }
  return createSecretKey(text.trim(), 'hex');
}

/** Linking a finished file never overwrites: who comes second reads the first one's key. */
async function makeKey(directory: string, path: string): Promise<KeyObject> {
  const draft = draftOf(path);
  await writeSynced(draft, `${randomBytes(32).toString('hex')}\n`);
  try {
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(directory);
  const key = await readKey(path, mendRights);
  if (key === undefined) throw invalidKey(`The fingerprint key "${path}" vanished while it was made; start again`);
  return key;
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function draftOf(path: string): string {
  return `${path}.draft`;
}

function invalidKey(message: string): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'FINGERPRINT_KEY_INVALID' });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
