import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeeperError } from '../errors.ts';
import { removeFile, syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';

/** Whose snapshots in a cluster are this data directory's: two archives of one namespace leave each other's alone. */

const FILE = 'archive-id';
const ID = /^[0-9a-f]{16}$/;

/** 16 hexadecimal characters, the same for ever; made by whoever asks first. Throws DATA_DIRECTORY_UNUSABLE. */
export async function archiveIdOf(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, FILE);
  const known = await read(path);
  if (known !== undefined) return known;
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const temporary = temporaryPath(dataDirectory, '.tmp_');
    await writeSynced(temporary, `${randomBytes(8).toString('hex')}\n`);
    // Unlike a rename, a link never takes the place of what another process made meanwhile.
    await link(temporary, path).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    await removeFile(temporary);
    await syncDirectory(dataDirectory);
  } catch (error) {
    throw fileFailure(path, 'write the id of the archive', error);
  }
  return (await read(path)) ?? '';
}

async function read(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileFailure(path, 'read the id of the archive', error);
  }
  if (ID.test(text)) return text;
  throw new KeeperError(
    `"${path}" is not the id of an archive (16 characters 0-9 and a-f); nothing was changed, put the id of the labels kubekeeper.dev/archive in the cluster there, or remove the file and delete older snapshots by hand`,
    { kind: 'invalid-input', code: 'DATA_DIRECTORY_UNUSABLE' },
  );
}
