import type { Pack } from './open-pack.ts';

/** Larger ones stay as they are: by then a merge saves little and takes minutes. */
const LARGEST = 2 ** 31;

/**
 * Which packs (oldest first) to merge: all when they are no more than `copyBelow` bytes together, else all but those old
 * ones that are each at least twice as large as everything after them. So a byte is copied a logarithmic number of times
 * in its life, and few packs are left.
 */
export function choosePacks(packs: readonly Pack[], copyBelow: number): Pack[] {
  const candidates = packs.filter((pack) => !pack.isKept && pack.packBytes < LARGEST);
  let rest = candidates.reduce((sum, pack) => sum + pack.bytes, 0);
  if (rest <= copyBelow) return candidates;
  let first = 0;
  for (const pack of candidates) {
    rest -= pack.bytes;
    if (pack.bytes < 2 * rest) break;
    first += 1;
  }
  return candidates.length - first > 1 ? candidates.slice(first) : [];
}
