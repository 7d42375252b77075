import type { RemotePlace } from '../core/remote.ts';
import { KeeperError } from '../errors.ts';
import type { ObjectId } from '../git/object-id.ts';

/** What only publishing finds out: one line each, with what is safe and what to do. */

/** The repository is there, its `main` is not, and we had pushed to it. */
export function branchGone(repository: string, place: RemotePlace, left: ObjectId): KeeperError {
  return gone(
    repository,
    place,
    `the branch main of ${place.url} is gone, where ${left.slice(0, 10)} was`,
    'put main back there',
  );
}

/** There was a repository, and we had pushed to it. */
export function repositoryGone(repository: string, place: RemotePlace, cause: unknown): KeeperError {
  return gone(
    repository,
    place,
    `the repository ${place.url} is gone or hidden from this account`,
    'bring it back or give the right',
    cause,
  );
}

/** A repository that somebody emptied or removed is not filled again behind their back. */
function gone(repository: string, place: RemotePlace, what: string, act: string, cause?: unknown): KeeperError {
  return new KeeperError(
    `Cannot push "${repository}": ${what}; its whole history is safe here, ${act}, or make it empty and confirm with "kubekeeper verify --repair ${repository}"`,
    { kind: 'stalled', code: 'REMOTE_NOT_FOUND', details: { repository, url: place.url }, cause },
  );
}

/** Never pushed, and nothing makes it. */
export function repositoryMissing(repository: string, place: RemotePlace, cause: unknown): KeeperError {
  return new KeeperError(
    `Cannot push "${repository}": there is no repository ${place.url}, or this account may not see it; everything is safe here, create it empty (or let --forge do it) and it goes on by itself`,
    { kind: 'stalled', code: 'REMOTE_NOT_FOUND', details: { repository, url: place.url }, cause },
  );
}

/** Forges need a moment before a new repository is served. */
export function notServedYet(repository: string, place: RemotePlace, cause: unknown): KeeperError {
  return new KeeperError(
    `Cannot push "${repository}" yet: ${place.url} was made a moment ago and is not served; everything is safe here, it is tried again`,
    { kind: 'transient', code: 'REMOTE_NOT_FOUND', details: { repository, url: place.url }, cause },
  );
}

export function noAnswer(repository: string, place: RemotePlace, seconds: number): KeeperError {
  return new KeeperError(
    `Cannot push "${repository}": ${place.origin} did not answer within ${seconds} s; everything is safe here, it is tried again`,
    { kind: 'transient', code: 'REMOTE_UNREACHABLE', details: { repository, url: place.url } },
  );
}
