import { KeeperError } from '../errors.ts';
import type { Repository } from '../git/repository.ts';
import { noAnswer, notServedYet, repositoryGone, repositoryMissing } from './publish-errors.ts';
import type { Lane } from './publish-lane.ts';
import { LOOK_LIMIT_MS, type PublishParts } from './publish-parts.ts';
import { TRACKING } from './publish-refs.ts';
import { timeLimit } from './publish-timer.ts';
import type { Advertisement } from './remote-port.ts';

/** What the remote has now. A repository that never was is made where a forge can; one that was pushed to before is never. */
export async function look(
  parts: PublishParts,
  lane: Lane,
  repository: Repository,
  signal: AbortSignal,
): Promise<Advertisement> {
  try {
    return await askState(parts, lane.name, LOOK_LIMIT_MS, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await make(parts, lane, { repository, cause: error }, signal);
  }
  try {
    return await askState(parts, lane.name, LOOK_LIMIT_MS, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const place = parts.port.place(lane.name);
    throw lane.isCreated ? notServedYet(lane.name, place, error) : repositoryMissing(lane.name, place, error);
  }
}

async function make(
  parts: PublishParts,
  lane: Lane,
  missing: { readonly repository: Repository; readonly cause: unknown },
  signal: AbortSignal,
): Promise<void> {
  const place = parts.port.place(lane.name);
  if (missing.repository.ref(TRACKING) !== undefined) throw repositoryGone(lane.name, place, missing.cause);
  if (lane.isCreated) throw notServedYet(lane.name, place, missing.cause);
  const forge = await parts.port.openForge(signal);
  if (forge === undefined) throw repositoryMissing(lane.name, place, missing.cause);
  lane.isCreated = (await forge.create(place, { signal })) === 'created';
}

/** The remote's refs, or REMOTE_UNREACHABLE after the time. */
export async function askState(
  parts: PublishParts,
  name: string,
  ms: number,
  outer: AbortSignal,
): Promise<Advertisement> {
  const place = parts.port.place(name);
  using limit = timeLimit(parts.timer, ms, outer, () => noAnswer(name, place, ms / 1000));
  return await parts.port.state(place, limit.signal);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof KeeperError && error.code === 'REMOTE_NOT_FOUND';
}
