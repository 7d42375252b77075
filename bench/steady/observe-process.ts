import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Loaded into kubekeeper with `node --import`: measures its event loop from inside. SIGUSR2 begins a new phase; at the exit
 * every phase is written to the file that BENCH_OBSERVATIONS names.
 */

export interface Phase {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Milliseconds between two turns of a timer of `RESOLUTION_MS`, so that is in each of them. */
  readonly delay: { readonly p50: number; readonly p99: number; readonly p999: number; readonly most: number };
}

const RESOLUTION_MS = 10;

const file = process.env['BENCH_OBSERVATIONS'];
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const phases: Phase[] = [];
let [began, cpuBefore] = [performance.now(), process.cpuUsage()];
delays.enable();
process.on('SIGUSR2', endPhase);
process.on('exit', () => {
  endPhase();
  if (file !== undefined) writeFileSync(file, JSON.stringify(phases));
});

function endPhase(): void {
  const cpu = process.cpuUsage(cpuBefore);
  const ms = (share: number) => delays.percentile(share) / 1e6;
  phases.push({
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    delay: { p50: ms(50), p99: ms(99), p999: ms(99.9), most: delays.max / 1e6 },
  });
  delays.reset();
  [began, cpuBefore] = [performance.now(), process.cpuUsage()];
}
