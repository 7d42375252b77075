import type { Clock } from '../core/ports.ts';
import type { Spaces } from './spaces.ts';
import { type HeldLedger, isReleasable } from './sweep-guard.ts';

/** Looks now and then whether held deletions may go: a person's word comes as a file, and objects come back without one. */

const EVERY_MS = 2000;

export function watchHeld(parts: {
  readonly spaces: Spaces;
  readonly ledger: HeldLedger;
  readonly clock: Clock;
  /** A window was opened again. */
  readonly touched: () => void;
}): Disposable {
  const timer = setInterval(() => {
    for (const space of parts.spaces.all()) {
      if (isReleasable(space, parts.ledger)) space.touch(parts.clock.monotonic());
    }
    parts.touched();
  }, EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
