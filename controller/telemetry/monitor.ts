import type { Outcome } from '../core/outcome.ts';
import type { OnSign } from '../core/signs.ts';
import type { KeeperError } from '../errors.ts';
import { Health } from './health.ts';
import { watchLoopLag } from './loop-lag.ts';
import { Metrics } from './metrics.ts';
import { type Address, serve } from './serve.ts';
import type { TelemetryOptions } from './telemetry.ts';

/** Metrics and health, fed by the same outcomes and served at one address. */
export interface Monitor extends AsyncDisposable {
  readonly address: string;
  observe(outcome: Outcome): void;
  retry(error: KeeperError): void;
  readonly sign: OnSign;
}

/** Throws KeeperError ADDRESS_UNUSABLE. */
export async function openMonitor(listen: Address, options: TelemetryOptions): Promise<Monitor> {
  const metrics = new Metrics(options);
  const health = new Health(options.vitals, options.stop);
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await serve(listen, { health, metrics }));
  stack.use(watchLoopLag((ms) => metrics.lag(ms)));
  const held = stack.move();
  return {
    address: server.address,
    observe(outcome) {
      metrics.observe(outcome);
      health.observe(outcome);
    },
    retry: (error) => metrics.retry(error),
    sign: metrics.sign,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
