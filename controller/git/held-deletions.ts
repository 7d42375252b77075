import { readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';

/**
 * Deletions that wait for a person's word, and the word. Both are files of the data directory (`held/NAME.json` and
 * `held/NAME.allowed.json`), so that a command beside the running archiver can read the one and write the other.
 */

export interface HeldDeletions {
  readonly repository: string;
  /** ISO 8601, when they were first held. */
  readonly since: string;
  /** In the repository, those held included. */
  readonly files: number;
  /** Of the manifests, as in the tree. */
  readonly paths: readonly string[];
}

const DIRECTORY = 'held';

export async function writeHeld(dataDirectory: string, held: HeldDeletions): Promise<void> {
  await write(dataDirectory, `${held.repository}.json`, held);
}

export function readHeld(dataDirectory: string, repository: string): HeldDeletions | undefined {
  return read<HeldDeletions>(dataDirectory, `${repository}.json`);
}

/** Allows exactly these deletions; later ones are held again. */
export async function allowDeletions(dataDirectory: string, held: HeldDeletions): Promise<void> {
  await write(dataDirectory, `${held.repository}.allowed.json`, { paths: held.paths });
}

/** The paths that a person allowed to go; undefined without a word. */
export function readAllowed(dataDirectory: string, repository: string): ReadonlySet<string> | undefined {
  const allowed = read<Pick<HeldDeletions, 'paths'>>(dataDirectory, `${repository}.allowed.json`);
  return allowed === undefined ? undefined : new Set(allowed.paths);
}

/** Nothing is held any more: the word is used up. */
export async function forgetHeld(dataDirectory: string, repository: string): Promise<void> {
  await removeFile(join(dataDirectory, DIRECTORY, `${repository}.json`));
  await removeFile(join(dataDirectory, DIRECTORY, `${repository}.allowed.json`));
}

async function write(dataDirectory: string, name: string, content: object): Promise<void> {
  const directory = join(dataDirectory, DIRECTORY);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const temporary = temporaryPath(directory, '.tmp_');
    await writeSynced(temporary, `${JSON.stringify({ version: 1, ...content }, null, 2)}\n`, 0o600);
    await rename(temporary, join(directory, name));
    await syncDirectory(directory);
  } catch (error) {
    throw fileFailure(directory, `write ${name}`, error);
  }
}

/** A file that is not ours to understand holds nothing: it never allows a deletion. */
function read<Content>(dataDirectory: string, name: string): Content | undefined {
  try {
    const content = JSON.parse(readFileSync(join(dataDirectory, DIRECTORY, name), 'utf8')) as Partial<HeldDeletions>;
    return Array.isArray(content.paths) ? (content as Content) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return undefined;
    throw fileFailure(dataDirectory, `read ${DIRECTORY}/${name}`, error);
  }
}
