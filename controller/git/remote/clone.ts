import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { KeeperError } from '../../errors.ts';
import { syncDirectory, temporaryPath } from '../durable-file.ts';
import { errnoOf, fileFailure, foreign } from '../errors.ts';
import { createRepository } from '../layout.ts';
import type { ObjectId } from '../object-id.ts';
import { isRefName } from '../ref-name.ts';
import { MAIN } from '../refs.ts';
import { openRepository, type Repository } from '../repository.ts';
import { discover } from './discover.ts';
import { damagedAnswer, hasNoMain, incomplete } from './errors.ts';
import { type Fetched, fetch } from './fetch.ts';
import type { Remote } from './transport.ts';

export interface Cloned extends Fetched {
  /** What the new repository has: by full name, branches, tags and notes. */
  readonly refs: ReadonlyMap<string, ObjectId>;
}

/**
 * Makes a whole new bare repository from a remote. It is built beside its place and appears at once, durable, or not at
 * all. Throws REPOSITORY_FOREIGN where something is in the place, and what `cloneInto` throws.
 */
export async function clone(directory: string, remote: Remote, signal: AbortSignal): Promise<Cloned> {
  const place = resolve(directory);
  try {
    const temporary = await makeTemporary(place);
    try {
      const cloned = await fill(temporary, remote, signal);
      await appear(temporary, place);
      return cloned;
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : fileFailure(place, 'clone', error);
  }
}

/**
 * Fills a repository that is open and empty: with the remote's branches, tags and notes, main first, which is checked to
 * its last blob. Throws REMOTE_NOT_FOUND where the remote has no branch main, REMOTE_UNREACHABLE when something is
 * missing, and what `fetch` throws; main may have been moved then, and what came is whole.
 */
export async function cloneInto(repository: Repository, remote: Remote, signal: AbortSignal): Promise<Cloned> {
  const advertised = await discover(remote, 'git-upload-pack', signal);
  const refs = chooseRefs(remote, advertised.refs);
  const received = await fetch(repository, remote, [...refs.values()], signal);
  await startMain(repository, remote, refs.get(MAIN) as ObjectId);
  for (const [name, id] of refs) {
    signal.throwIfAborted();
    if (name !== MAIN) await repository.updateRef(name, { from: undefined, to: id });
  }
  return { ...received, refs };
}

/** The branch is followed to its beginning: what is missing then, the remote has not sent. */
async function startMain(repository: Repository, remote: Remote, id: ObjectId): Promise<void> {
  try {
    await repository.fastForward(id);
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'REQUEST_REFUSED') throw error;
    throw incomplete(remote, error);
  }
}

async function fill(directory: string, remote: Remote, signal: AbortSignal): Promise<Cloned> {
  await createRepository(directory);
  await using repository = await openRepository(directory);
  return await cloneInto(repository, remote, signal);
}

/** Pull requests and what else a forge keeps in refs is its own. */
function chooseRefs(remote: Remote, advertised: ReadonlyMap<string, ObjectId>): ReadonlyMap<string, ObjectId> {
  if (!advertised.has(MAIN)) throw hasNoMain(remote);
  const chosen = new Map([...advertised].filter(([name]) => /^refs\/(?:heads|tags|notes)\//.test(name)));
  if ([...chosen.keys()].every(isRefName)) return chosen;
  throw damagedAnswer(remote, new RangeError('a ref has a name that Git does not allow'));
}

/** What a clone that was killed left behind goes first; `createRepository` of the same place would do the same. */
async function makeTemporary(place: string): Promise<string> {
  const parent = dirname(place);
  const prefix = `.${basename(place)}.tmp_`;
  for (const name of await namesIn(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true });
  }
  return temporaryPath(parent, prefix);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function appear(temporary: string, place: string): Promise<void> {
  try {
    await rename(temporary, place);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
    throw foreign(place, 'something is there already');
  }
  await syncDirectory(dirname(place));
}
