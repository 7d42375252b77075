import { KeeperError } from '../errors.ts';
import { isBeingWritten } from './is-written.ts';
import {
  type BackupRequest,
  type PointRequest,
  type TagRequest,
  type Wish,
  waitAnswer,
  withdrawRequest,
  writeRequest,
} from './requests.ts';

/** Asks whoever archives into a data directory to write something there for us. */

export interface Patience {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** The name of the tag, and the commit that it is on. */
export interface Done {
  readonly commit: string;
  readonly tag: string;
}

/**
 * What was seen until now is committed and tagged. Undefined when nobody archives there: then the caller takes the lock and does it
 * itself. Throws REQUEST_REFUSED with the archiver's reason, DATA_DIRECTORY_IN_USE when it does not answer, the signal's reason.
 */
export async function askForPoint(
  dataDirectory: string,
  point: Omit<PointRequest, 'do'>,
  patience: Patience,
): Promise<Done | undefined> {
  const commit = await ask(dataDirectory, { do: 'point', ...point }, patience);
  return commit === undefined ? undefined : { commit, tag: point.name };
}

/**
 * What was seen until now is committed together with fresh snapshots of all volumes, and tagged where a name is given; answers the commit,
 * whose note says what becomes of them. Else like `askForPoint`.
 */
export async function askForBackup(
  dataDirectory: string,
  backup: Omit<BackupRequest, 'do'>,
  patience: Patience,
): Promise<string | undefined> {
  return await ask(dataDirectory, { do: 'backup', ...backup }, patience);
}

/** An annotated tag on a commit; else like `askForPoint`. */
export async function askForTag(
  dataDirectory: string,
  tag: Omit<TagRequest, 'do'>,
  patience: Patience,
): Promise<Done | undefined> {
  const commit = await ask(dataDirectory, { do: 'tag', ...tag }, patience);
  return commit === undefined ? undefined : { commit, tag: tag.name };
}

async function ask(dataDirectory: string, request: Wish, { signal, timeoutMs }: Patience): Promise<string | undefined> {
  if (!(await isBeingWritten(dataDirectory))) return undefined;
  const id = await writeRequest(dataDirectory, request);
  const isGivenUp = async () => !(await isBeingWritten(dataDirectory));
  try {
    const answer = await waitAnswer(dataDirectory, id, { signal, timeoutMs, isGivenUp });
    if (answer === undefined) {
      if (await isGivenUp()) return undefined;
      throw silent(dataDirectory, timeoutMs);
    }
    if (answer.ok) return answer.commit;
    throw new KeeperError(answer.reason, { kind: 'invalid-input', code: 'REQUEST_REFUSED' });
  } finally {
    await withdrawRequest(dataDirectory, id);
  }
}

function silent(directory: string, timeoutMs: number): KeeperError {
  return new KeeperError(
    `The process that archives into "${directory}" did not answer within ${timeoutMs / 1000} s; nothing was changed, try again once its first lists are complete, or look at its log`,
    { kind: 'transient', code: 'DATA_DIRECTORY_IN_USE', details: { directory } },
  );
}
