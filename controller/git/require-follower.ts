import { KeeperError } from '../errors.ts';
import { commitsBetween, isAncestor } from './ancestry.ts';
import { refused } from './errors.ts';
import { MissingObjects } from './missing-objects.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Throws REQUEST_REFUSED unless a commit follows `head` (or there is none yet) and everything that leads from there to it
 * is in the repository. What is missing or broken came with the commit, so it is no damage of ours.
 */
export async function requireFollower(store: ObjectStore, head: ObjectId | undefined, to: ObjectId): Promise<void> {
  try {
    if (!store.has(to)) throw refused(store.directory, `commit ${to} is not there`);
    if (head !== undefined && !isAncestor(store, head, to))
      throw refused(store.directory, `commit ${to} does not follow main at ${head}`);
    const search = new MissingObjects(store);
    for (const commit of commitsBetween(store, head, to)) {
      const missing = await search.of(commit);
      if (missing === undefined) continue;
      throw refused(store.directory, `commit ${to} needs object ${missing}, which is not there`);
    }
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'REPOSITORY_DAMAGED') throw error;
    throw refused(store.directory, `commit ${to} cannot be followed to its beginning`, error);
  }
}
