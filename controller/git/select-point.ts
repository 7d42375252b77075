import { MOMENT_FORMS, parseMoment } from '../core/moment.ts';
import { nearestFirst } from '../core/nearest.ts';
import { oneLine } from '../core/words.ts';
import { KeeperError } from '../errors.ts';
import { Breath } from './breathe.ts';
import { readCommit } from './commit-queue.ts';
import type { ObjectId } from './object-id.ts';
import type { Archive } from './open-archive.ts';
import { resolve } from './revision.ts';

/** Which commit a person means: for restores and for reading history. */

const TAGS = 'refs/tags/';

/**
 * A revision (commit, tag, branch, short id, `HEAD~2`) or else a time: the newest commit of `main` at or before it. What could be both is the
 * revision. Throws USAGE_INVALID with the nearest tags.
 */
export async function selectPoint(archive: Archive, to: string, now: Date): Promise<ObjectId> {
  try {
    return resolve(archive, to);
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'USAGE_INVALID') throw error;
    const time = parseMoment(to, now, 'end');
    if (time === undefined) throw /[~^]/.test(to) ? error : unknown(archive, to);
    return await newestAt(archive, to, time);
  }
}

/** From where on a history is told: after a commit, or from a moment on. */
export interface Beginning {
  readonly commit: ObjectId | undefined;
  readonly time: Date;
}

/** As `selectPoint`, but a time stands for itself: a day for its start. */
export function selectBeginning(archive: Archive, since: string, now: Date): Beginning {
  try {
    const commit = resolve(archive, since);
    return { commit, time: readCommit(archive.store, commit).time };
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'USAGE_INVALID') throw error;
    const time = parseMoment(since, now, 'start');
    if (time === undefined) throw unknown(archive, since);
    return { commit: undefined, time };
  }
}

/** The archive's own line: what a merge brought was not live before it. */
async function newestAt(archive: Archive, to: string, time: Date): Promise<ObjectId> {
  const breath = new Breath();
  let oldest: Date | undefined;
  for (let id = archive.head; id !== undefined; ) {
    const commit = readCommit(archive.store, id);
    if (commit.time <= time) return id;
    oldest = commit.time;
    id = commit.parents[0];
    await breath.take();
  }
  const since = oldest === undefined ? 'nothing was committed yet' : `the history begins at ${stamp(oldest)}`;
  throw usage(`There is nothing from "${oneLine(to)}" (${stamp(time)}) in "${archive.directory}": ${since}`);
}

function unknown(archive: Archive, to: string): KeeperError {
  const names = [...archive.refs().keys()].filter((ref) => ref.startsWith(TAGS)).map((ref) => ref.slice(TAGS.length));
  const nearest = to.length > 100 ? [] : nearestFirst(names, to).slice(0, 3);
  const tags = nearest.length === 0 ? 'there are no tags' : `the nearest tags are ${nearest.map(oneLine).join(', ')}`;
  return usage(
    `Cannot find "${oneLine(to.slice(0, 100))}" in "${archive.directory}": it is no commit, tag or branch, and no time such as ${MOMENT_FORMS}; ${tags}`,
  );
}

function stamp(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function usage(message: string): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'USAGE_INVALID' });
}
