import type { Metric } from './metric.ts';
import { PROCESS_METRICS } from './metrics-process.ts';
import { PUBLISHING_METRICS } from './metrics-publishing.ts';
import { READING_METRICS } from './metrics-reading.ts';
import { REPOSITORY_METRICS } from './metrics-repository.ts';
import { VOLUME_METRICS } from './metrics-volume.ts';

export type { Metric } from './metric.ts';

/**
 * Every metric of ours: name, type, labels, meaning, and what to do. docs/metrics.md is made from it. Names obey Prometheus' rules
 * (https://prometheus.io/docs/practices/naming/): base units, counters end in _total. A label never is `namespace`, which a
 * scrape would overwrite with the pod's own: the archived one is `target_namespace`.
 */

/** In the order of the page. */
export const METRICS = {
  ...READING_METRICS,
  ...REPOSITORY_METRICS,
  ...VOLUME_METRICS,
  ...PUBLISHING_METRICS,
  ...PROCESS_METRICS,
} as const satisfies Readonly<Record<string, Metric>>;

type Table = typeof METRICS;

/** The keys of all metrics of one type. */
export type MetricOf<Type extends Metric['type']> = {
  [Key in keyof Table]: Table[Key]['type'] extends Type ? Key : never;
}[keyof Table];
