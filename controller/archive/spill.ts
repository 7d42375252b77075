import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';

/** Staged bytes live in memory until their window closes; a first list of a large cluster would not fit. */
const MOST_STAGED_BYTES = 16 * 1024 * 1024;

/** Moves the largest stage to disk while all stages together are over the bound. */
export async function boundStage(spaces: Spaces): Promise<void> {
  if (stagedBytes(spaces) <= MOST_STAGED_BYTES) return;
  const largest = spaces
    .all()
    .reduce<Space | undefined>(
      (most, space) => (space.repository.stagedBytes > (most?.repository.stagedBytes ?? 0) ? space : most),
      undefined,
    );
  await largest?.repository.spill();
}

function stagedBytes(spaces: Spaces): number {
  let bytes = 0;
  for (const space of spaces.all()) bytes += space.repository.stagedBytes;
  return bytes;
}
