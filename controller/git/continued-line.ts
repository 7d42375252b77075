import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';
import { makePrivate } from './private-directory.ts';

/**
 * A restore makes a namespace again, with a new uid, and its history goes on: whoever restores says so in `continues/NAME.json` of the
 * data directory. It writes `of` before it makes the namespace and `uid` as soon as there is one, each time as a new file by a rename.
 */
export interface ContinuedLine {
  /** The uid of the namespace that was made again; undefined while it is being made. */
  readonly uid: string | undefined;
  /** The uid that the line belongs to, as its archive file says. */
  readonly of: string;
}

const DIRECTORY = 'continues';

/** A file that is not ours to understand says nothing: it never opens a history to another namespace. */
export function readContinuedLine(dataDirectory: string, namespace: string): ContinuedLine | undefined {
  try {
    const text = readFileSync(join(dataDirectory, DIRECTORY, `${namespace}.json`), 'utf8');
    const { uid, of } = JSON.parse(text) as Partial<Record<keyof ContinuedLine, unknown>>;
    if (typeof of !== 'string' || of === '') return undefined;
    if (uid === undefined) return { uid, of };
    return typeof uid === 'string' && uid !== '' ? { uid, of } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || errnoOf(error) === 'ENOENT') return undefined;
    throw fileFailure(dataDirectory, `read ${DIRECTORY}/${namespace}.json`, error);
  }
}

/** On the disk when it resolves. */
export async function writeContinuedLine(dataDirectory: string, namespace: string, line: ContinuedLine): Promise<void> {
  try {
    const directory = await makePrivate(dataDirectory, [DIRECTORY]);
    const temporary = temporaryPath(directory, '.tmp_');
    try {
      await writeSynced(temporary, `${JSON.stringify(line)}\n`, 0o600);
      await rename(temporary, join(directory, `${namespace}.json`));
    } finally {
      await removeFile(temporary);
    }
    await syncDirectory(directory);
  } catch (error) {
    throw fileFailure(dataDirectory, `write ${DIRECTORY}/${namespace}.json`, error);
  }
}
