/** `kubekeeper archive --leader-elect` with a short Lease, for many rounds: arguments are kubeconfig, data directory and Lease. */
import { Tally } from '../../controller/archive/tally.ts';
import { reportFailure, stopSignal } from '../../controller/cli/output.ts';
import { runArchive } from '../../controller/compose.ts';
import { parseArchiveConfig } from '../../controller/config.ts';
import type { ElectionTimings } from '../../controller/core/election.ts';

/** A busy machine must not look like a lost lead. */
const TIMINGS: ElectionTimings = { leaseMs: 5000, renewMs: 4000, retryMs: 250 };

const [kubeconfig, dataDir, lease] = process.argv.slice(2);
const windows = { window: '50ms', maxWindow: '150ms' };
const config = parseArchiveConfig({ kubeconfig, dataDir, lease, ...windows, leaderElect: true });
const stop = stopSignal();
try {
  const options = { once: false, signal: stop.signal, tally: new Tally(), timings: TIMINGS };
  for await (const { type, ...facts } of runArchive(config, options)) {
    const line = { level: 'info', time: new Date().toISOString(), event: type, ...facts };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  }
} catch (error) {
  process.exitCode = reportFailure(error);
} finally {
  stop.dispose();
}
