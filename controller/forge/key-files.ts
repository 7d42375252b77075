import type { BigIntStats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KeeperError } from '../errors.ts';
import type { Keys } from './credential-keys.ts';
import { invalidCredentials } from './errors.ts';

/** Keys that lie in files, as they are now. */
export interface KeyFiles {
  /** Differs when a file was written, replaced, or swapped with all others. */
  readonly identity: string;
  /** What is gone by then is left out: who looks again afterwards sees that. */
  read(): Promise<Keys>;
}

/** What a Secret may hold at most. */
const LARGEST_FILE = 2 ** 20;

/**
 * `path` is a file with a token, or a directory with one file per key, such as a mounted Secret. Throws KeeperError
 * REMOTE_CREDENTIALS_INVALID, which names the file.
 */
export async function lookAtKeyFiles(path: string): Promise<KeyFiles> {
  const isDirectory = (await look(path))?.isDirectory();
  if (isDirectory === undefined) throw invalidCredentials(`"${path}"`, 'it does not exist');
  // Kubernetes keeps its own links beside the keys, all with two dots in front.
  const names = isDirectory ? (await listFolder(path)).filter((name) => !name.startsWith('..')).sort() : [];
  const files = isDirectory
    ? names.map((name) => ({ key: name, file: join(path, name) }))
    : [{ key: 'token', file: path }];
  const identities = await Promise.all(files.map(({ file }) => identityOf(file)));
  return {
    identity: identities.join('\n'),
    read: async () => {
      const name = `${isDirectory ? 'directory' : 'file'} "${path}"`;
      const nameOf = (key: string) => (isDirectory ? `file "${join(path, key)}"` : name);
      return { values: await readAll(files), name, nameOf };
    },
  };
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readAll(files: readonly { key: string; file: string }[]): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (const { key, file } of files) {
    // Folders beside the keys are nobody's key.
    const text = (await look(file))?.isFile() === true ? await readText(file) : undefined;
    if (text !== undefined) values.set(key, text);
  }
  return values;
}

async function identityOf(file: string): Promise<string> {
  const found = await look(file);
  return [file, found?.dev, found?.ino, found?.size, found?.mtimeNs, found?.ctimeNs].join(' ');
}

/** Undefined when it does not exist. */
async function readText(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    if (size > LARGEST_FILE) throw invalidCredentials(`file "${file}"`, 'it is larger than a Secret can be');
    return (await handle.readFile()).toString('utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(file, error);
  }
}

/** Undefined when it does not exist. */
async function look(path: string): Promise<BigIntStats | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    if (found.isFile() || found.isDirectory()) return found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
  throw invalidCredentials(`"${path}"`, 'it is neither a file nor a directory');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unreadable(file: string, error: unknown): unknown {
  if (error instanceof KeeperError || !(error instanceof Error && 'code' in error)) return error;
  return invalidCredentials(`"${file}"`, `it cannot be read (${error.code})`);
}
