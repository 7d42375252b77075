import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';
import type { Storage } from './storage.ts';

/** Staged bytes live in memory until their window closes; a first list of a large cluster would not fit. */
const MOST_STAGED_BYTES = 16 * 1024 * 1024;

/** Moves the largest stage to disk when all stages together are over the bound; while the disk is full the caller waits. */
export async function boundStage(spaces: Spaces, storage: Storage): Promise<void> {
  if (stagedBytes(spaces) <= MOST_STAGED_BYTES) return;
  const largest = spaces
    .all()
    .reduce<Space | undefined>(
      (most, space) => (space.repository.stagedBytes > (most?.repository.stagedBytes ?? 0) ? space : most),
      undefined,
    );
  if (largest === undefined) return;
  using _user = largest.users.enter();
  await storage.persist(largest.name, () => largest.repository.spill());
}

function stagedBytes(spaces: Spaces): number {
  let bytes = 0;
  for (const space of spaces.all()) bytes += space.repository.stagedBytes;
  return bytes;
}
