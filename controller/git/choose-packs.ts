import type { Pack } from './open-pack.ts';

/** Larger ones stay as they are: by then a merge saves little and takes minutes. */
const LARGEST = 2 ** 31;

/** Up to this size a whole repository is copied in a moment, and large directories are stored whole only once. */
const SMALL = 16 * 1024 * 1024;

/**
 * Which packs (oldest first) to merge: all but those old ones that are each at least twice as large as everything after
 * them. So a byte is copied a logarithmic number of times in its life, and few packs are left.
 */
export function choosePacks(packs: readonly Pack[], full: boolean): Pack[] {
  const candidates = packs.filter((pack) => !pack.isKept && pack.packBytes < LARGEST);
  let rest = candidates.reduce((sum, pack) => sum + pack.bytes, 0);
  let first = 0;
  for (const pack of full || rest <= SMALL ? [] : candidates) {
    rest -= pack.bytes;
    if (pack.bytes < 2 * rest) break;
    first += 1;
  }
  const chosen = candidates.slice(first);
  return chosen.length > 1 || full ? chosen : [];
}
