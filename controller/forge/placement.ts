import type { RemotePlace } from '../core/remote.ts';
import { refused } from './errors.ts';

/** An owner and a name as the API of a forge takes them. */
export interface Placement {
  readonly owner: string;
  readonly repo: string;
}

/** GitHub makes `-` of other characters without a word, Gitea refuses them; both end at 100. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

/**
 * The last part of the path before the name is the owner; before it may only come the path at which the forge is served. Throws
 * KeeperError REMOTE_REFUSED for what no forge can make.
 */
export function placementOf(place: RemotePlace, prefix: string): Placement {
  const parts = place.owner.split('/').filter((part) => part !== '');
  const owner = parts.pop() ?? '';
  if (owner === '')
    throw refused('make', place, undefined, 'put an owner into --remote: https://HOST/OWNER/{namespace}.git');
  if (parts.join('/') !== prefix) {
    throw refused('make', place, undefined, 'a forge has owners and no folders, or make it by hand');
  }
  const bad = [owner, place.name].find((one) => !NAME.test(one));
  if (bad === undefined) return { owner, repo: place.name };
  throw refused(
    'make',
    place,
    undefined,
    `"${bad}" is no name that a forge takes: letters, digits, ".", "_" and "-", at most 100`,
  );
}
