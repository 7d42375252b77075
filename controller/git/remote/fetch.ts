import type { ObjectId } from '../object-id.ts';
import type { Repository } from '../repository.ts';
import { discover } from './discover.ts';
import { damagedAnswer } from './errors.ts';
import { readPack } from './fetch-answer.ts';
import { renderFetch } from './fetch-request.ts';
import { chooseHaves } from './have-lines.ts';
import { callService } from './request.ts';
import type { Remote } from './transport.ts';

export interface Fetched {
  /** Received, not counting what was there already. */
  readonly objects: number;
  readonly bytes: number;
}

/** What takes the objects: a `Repository`, or a place beside one. */
export type Receiver = Pick<Repository, 'store' | 'refs' | 'receivePack'>;

/**
 * Brings the objects that these lead to into a repository, durably; no ref is moved, and until one leads to them they are
 * forgotten at the next start. What is here already is not sent again. Throws KeeperError REMOTE_* (nothing was kept
 * then) and what `receivePack` throws; aborting throws the signal's reason.
 */
export async function fetch(
  repository: Receiver,
  remote: Remote,
  wants: readonly ObjectId[],
  signal: AbortSignal,
): Promise<Fetched> {
  const refs = repository.refs();
  const known = new Set(refs.values());
  const missing = new Set(wants.filter((id) => !known.has(id)));
  if (missing.size === 0) return { objects: 0, bytes: 0 };
  const { capabilities } = await discover(remote, 'git-upload-pack', signal);
  const haves = chooseHaves(repository.store, refs);
  const body = () => renderFetch(missing, haves, capabilities);
  const answer = await callService(remote, 'git-upload-pack', body, signal);
  const pack = readPack(remote, answer, capabilities.has('side-band-64k'));
  const { objects, bytes } = await repository.receivePack(pack);
  for (const id of missing) {
    if (!repository.store.has(id)) throw damagedAnswer(remote, new RangeError(`object ${id} is not in it`));
  }
  return { objects, bytes };
}
