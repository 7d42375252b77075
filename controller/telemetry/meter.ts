import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import { METRICS, type Metric, type MetricOf } from './metric-table.ts';

/** The metrics of the table as things that count; the only place that knows the library. */

type Key = keyof typeof METRICS;
type Labels<K extends Key> = Readonly<Record<(typeof METRICS)[K]['labels'][number], string>>;

/** One series of a metric: what its labels are, and its value. */
export type Series<K extends Key> = readonly [labels: Labels<K>, value: number];

export class Meter {
  readonly #registry = new Registry();
  readonly #counters = new Map<Key, Counter<string>>();
  readonly #gauges = new Map<Key, Gauge<string>>();
  readonly #histograms = new Map<Key, Histogram<string>>();

  constructor() {
    for (const key of Object.keys(METRICS) as Key[]) this.#register(key);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  count<K extends MetricOf<'counter'>>(key: K, labels: Labels<K>, by = 1): void {
    this.#counters.get(key)?.inc(labels, by);
  }

  set<K extends MetricOf<'gauge'>>(key: K, labels: Labels<K>, value: number): void {
    this.#gauges.get(key)?.set(labels, value);
  }

  time(key: MetricOf<'histogram'>, seconds: number): void {
    this.#histograms.get(key)?.observe(seconds);
  }

  /** All series of a metric at once: what is not among them is no longer told. For counters, whose totals grow elsewhere, too. */
  replace<K extends MetricOf<'gauge' | 'counter'>>(key: K, series: Iterable<Series<K>>): void {
    const [gauge, counter] = [this.#gauges.get(key), this.#counters.get(key)];
    gauge?.reset();
    counter?.reset();
    for (const [labels, value] of series) {
      gauge?.set(labels, value);
      counter?.inc(labels, value);
    }
  }

  /** In Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  #register(key: Key): void {
    const metric: Metric = METRICS[key];
    const { name, help, labels, buckets } = metric;
    const common = { name, help, labelNames: [...labels], registers: [this.#registry] };
    switch (metric.type) {
      case 'counter':
        this.#counters.set(key, new Counter(common));
        break;
      case 'gauge':
        this.#gauges.set(key, new Gauge(common));
        break;
      case 'histogram':
        this.#histograms.set(key, new Histogram({ ...common, buckets: [...(buckets ?? [])] }));
        break;
      default:
        metric.type satisfies never;
    }
  }
}
