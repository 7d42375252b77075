import { KeeperError } from '../errors.ts';

/** Something in the repository cannot be read as Git wrote it. `file` is named relative to the repository. */
export function damaged(directory: string, file: string, problem: string, cause?: unknown): KeeperError {
  return new KeeperError(
    `Repository "${directory}" is damaged: ${file} ${problem}; nothing was overwritten, run "git fsck --full" in it and restore that file from a copy`,
    { kind: 'stalled', code: 'REPOSITORY_DAMAGED', details: { directory, file, problem }, cause },
  );
}

/** What Git may well read, but nobody honest writes. `problem` goes on behind the repository's name as a sentence. */
export function hostile(directory: string, problem: string): KeeperError {
  return new KeeperError(
    `Repository "${directory}" is not one to restore from: ${problem}; nothing of it was used, ask who wrote it, or choose a commit before that`,
    { kind: 'stalled', code: 'REPOSITORY_HOSTILE', details: { directory, problem } },
  );
}

/** A repository that Git may well read, but that is not laid out as kubekeeper lays it out. */
export function foreign(directory: string, problem: string): KeeperError {
  return new KeeperError(
    `Cannot use repository "${directory}": ${problem}; nothing was changed, choose another data directory or move this one away`,
    { kind: 'invalid-input', code: 'REPOSITORY_FOREIGN', details: { directory, problem } },
  );
}

/** Another process moved the branch or holds its lock. */
export function writtenByOther(directory: string, problem: string, cause?: unknown): KeeperError {
  return new KeeperError(
    `Another process writes repository "${directory}": ${problem}; nothing was lost, stop the other writer and start again`,
    { kind: 'stalled', code: 'DATA_DIRECTORY_IN_USE', details: { directory }, cause },
  );
}

/** What we were about to rename was taken away by the writer that took over. */
export function fencedOff(directory: string, file: string, cause: unknown): KeeperError {
  return new KeeperError(
    `Cannot move ${file} in repository "${directory}": another process took over this data directory; nothing was written, this one must stop`,
    { kind: 'stalled', code: 'LEADERSHIP_LOST', details: { directory, file }, cause },
  );
}

/** A request that the repository cannot fulfil as it is. */
export function refused(directory: string, problem: string, cause?: unknown): KeeperError {
  return new KeeperError(`Refused in repository "${directory}": ${problem}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'REQUEST_REFUSED',
    details: { directory },
    cause,
  });
}

/** A pack that came from elsewhere is not what Git would send. Bytes may have changed on the way: worth another try. */
export function invalidPack(directory: string, problem: string, cause?: unknown): KeeperError {
  return new KeeperError(
    `Cannot take a pack into repository "${directory}": it ${problem}; nothing of it was kept, fetch again and check the remote with "git fsck"`,
    { kind: 'transient', code: 'PACK_INVALID', details: { directory }, cause },
  );
}

export function invalidPath(path: string, problem: string): KeeperError {
  return new KeeperError(`Cannot store "${path}": ${problem}; the repository is unchanged`, {
    kind: 'defect',
    code: 'DEFECT',
    details: { path },
  });
}

const NEEDS_A_PERSON = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR']);

/** Translates a failed file operation; our own errors pass through. A full or read-only disk is stalled, the rest is worth a retry. */
export function fileFailure(directory: string, doing: string, error: unknown): KeeperError {
  if (error instanceof KeeperError) return error;
  // Cleaning up failed as well: the first failure tells what is wrong.
  if (error instanceof SuppressedError) return fileFailure(directory, doing, error.suppressed);
  const code = errnoOf(error);
  // Node's own complaints about what we asked for.
  if (code === undefined || code.startsWith('ERR_')) {
    return new KeeperError(`Cannot ${doing} in "${directory}": ${String(error)}; what was committed before is safe`, {
      kind: 'defect',
      code: 'DEFECT',
      cause: error,
    });
  }
  return new KeeperError(
    `Cannot ${doing} in "${directory}": ${code}; what was committed before is safe, make room or give the right to write`,
    {
      kind: NEEDS_A_PERSON.has(code) ? 'stalled' : 'transient',
      code: 'DATA_DIRECTORY_UNUSABLE',
      details: { directory, errno: code },
      cause: error,
    },
  );
}

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
