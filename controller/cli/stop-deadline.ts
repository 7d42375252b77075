import type { Works } from '../core/works.ts';
import { EXIT } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * A polite stop ends in time: Kubernetes kills after its grace period (30 s), without a word. Before that we end by ourselves
 * and say what was under way. What was told as committed is on the disk; the rest is found again by the next start.
 */

/** After the signal; the last second of 25 is for the end itself. */
const END_AFTER_MS = 24_000;

export function enforceDeadline(
  stop: AbortSignal,
  parts: { readonly log: Log; readonly works: Works; readonly afterMs?: number },
): Disposable {
  const { log, works, afterMs = END_AFTER_MS } = parts;
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    log.write('error', 'stop-cut', { afterMs, work: works.standstill()?.what });
    process.exit(EXIT.failed);
  };
  const start = () => {
    timer = setTimeout(end, afterMs).unref();
  };
  stop.addEventListener('abort', start, { once: true });
  return {
    [Symbol.dispose]: () => {
      stop.removeEventListener('abort', start);
      clearTimeout(timer);
    },
  };
}
