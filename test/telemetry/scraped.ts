import type { Outcome } from '../../controller/core/outcome.ts';
import { type Offered, Vitals } from '../../controller/core/vitals.ts';
import { type MetricSources, Metrics } from '../../controller/telemetry/metrics.ts';
import type { Counts } from '../../controller/telemetry/read-flow.ts';

/** Metrics with a clock that a test moves, and their text read back. */

export interface MovedClock {
  wallMs: number;
  monotonicMs: number;
}

export function metricsWith(sources: Partial<MetricSources> = {}) {
  const time: MovedClock = { wallMs: 1_700_000_000_000, monotonicMs: 1_000 };
  const vitals = sources.vitals ?? new Vitals(() => time.monotonicMs);
  const tally: Counts = { all: () => [] };
  const metrics = new Metrics({
    tally,
    vitals,
    clock: { wall: () => time.wallMs, monotonic: () => time.monotonicMs },
    dataDirectory: '/',
    version: '1.2.3',
    isElected: false,
    ...sources,
  });
  return { metrics, time, vitals, scrape: async () => readSeries(await metrics.render()) };
}

/** A flow with nothing to tell but this. */
export function offering(offered: Partial<Offered>): Offered {
  const none = () => [];
  return { gaps: none, unpushed: none, held: none, repositories: () => 0, openWindows: () => 0, ...offered };
}

/** Each series with its value, such as 'kubekeeper_leader' or 'kubekeeper_skips_total{code="RESOURCE_FORBIDDEN"}'. */
export function readSeries(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

export function committed(repository: string, id: string): Outcome {
  return { type: 'committed', repository, id, subject: 'a', objects: 2, bytes: 300, durationMs: 20 };
}

export function pushed(repository: string, id: string): Outcome {
  return { type: 'pushed', repository, url: 'https://git.example/a.git', id, commits: 1, bytes: 9, durationMs: 30 };
}

export function pushFailed(repository: string): Outcome {
  return { type: 'push-failed', repository, code: 'REMOTE_UNREACHABLE', reason: 'it is down', afterMs: 1000 };
}
