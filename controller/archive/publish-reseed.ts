import type { Repository } from '../git/repository.ts';
import { sideTrackings, TRACKING } from './publish-refs.ts';

/**
 * A person's word that an empty or new remote may be filled with the whole history: we forget that we had pushed to it before.
 * The next push does the rest; nothing else of the repository changes.
 */
export async function reseedRemote(repository: Repository): Promise<void> {
  for (const name of [TRACKING, ...sideTrackings(repository)]) {
    const from = repository.ref(name);
    if (from !== undefined) await repository.updateRef(name, { from, to: undefined });
  }
}
