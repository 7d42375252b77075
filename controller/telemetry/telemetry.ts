import type { Outcome } from '../core/outcome.ts';
import type { OnSign } from '../core/signs.ts';
import type { KeeperError } from '../errors.ts';
import type { Log } from './log.ts';
import type { MetricSources } from './metrics.ts';
import { observe } from './observe.ts';
import type { Address } from './serve.ts';

/** All that tells of a run: log lines always, probes and metrics where an address is given. */

export interface Telemetry extends AsyncDisposable {
  observe(outcome: Outcome): void;
  /** A failure that is tried again after `ms`. */
  retry(error: KeeperError, ms: number): void;
  readonly sign: OnSign | undefined;
}

export interface TelemetryOptions extends MetricSources {
  readonly listen: Address | undefined;
  /** Fires when the process is asked to stop: from then on it is not ready. */
  readonly stop: AbortSignal;
}

/** Throws KeeperError ADDRESS_UNUSABLE; to be called before anything else is done. */
export async function openTelemetry(log: Log, options: TelemetryOptions): Promise<Telemetry> {
  const logged = {
    observe: (outcome: Outcome) => observe(log, outcome),
    retry: (error: KeeperError, ms: number) =>
      log.write('info', 'retry', { code: error.code, reason: error.message, afterMs: Math.round(ms) }),
  };
  const { listen } = options;
  if (listen === undefined) return { ...logged, sign: undefined, [Symbol.asyncDispose]: async () => undefined };
  // Loaded only where it is used: it would be a third of the start's time.
  const { openMonitor } = await import('./monitor.ts');
  const monitor = await openMonitor(listen, options);
  log.write('info', 'listening', { address: monitor.address });
  return {
    observe(outcome) {
      logged.observe(outcome);
      monitor.observe(outcome);
    },
    retry(error, ms) {
      logged.retry(error, ms);
      monitor.retry(error);
    },
    sign: monitor.sign,
    [Symbol.asyncDispose]: () => monitor[Symbol.asyncDispose](),
  };
}
