import './hooks.ts';

/** The repositories' own code, on disks in memory: imported after the hooks are in place. */

export const { openRepository } = await import('../../controller/git/repository.ts');
export const { parseCommit } = await import('../../controller/git/commit-object.ts');
export type { ObjectStore } from '../../controller/git/object-store.ts';
