import { mkdir, readdir } from 'node:fs/promises';
import { KeeperError } from '../errors.ts';
import { type DirectoryLock, type LockTerm, lockDirectory } from './directory-lock.ts';

/** The directory with all repositories, `NAMESPACE.git` and `_cluster.git`, that one process at a time may write. */

const SUFFIX = '.git';

/**
 * Makes the directory where it is missing and takes its lock, with an election under the leader's term. Throws KeeperError:
 * unusable, or written by another process. Repositories are opened after this, which takes their half-done changes from
 * whoever wrote before.
 */
export async function openDataDirectory(directory: string, term?: LockTerm): Promise<DirectoryLock> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unusable(directory, cause);
  }
  return lockDirectory(directory, term);
}

/** The names of the repositories, sorted. */
export async function listRepositories(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && entry.name.endsWith(SUFFIX) && !entry.name.startsWith('.'))
      .map((entry) => entry.name.slice(0, -SUFFIX.length))
      .sort();
  } catch (cause) {
    throw unusable(directory, cause);
  }
}

function unusable(directory: string, cause: unknown): KeeperError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  return new KeeperError(
    `Cannot use the data directory "${directory}": ${reason}; nothing was changed, choose another with --data-dir or mend its rights`,
    { kind: 'invalid-input', code: 'DATA_DIRECTORY_UNUSABLE', cause },
  );
}
