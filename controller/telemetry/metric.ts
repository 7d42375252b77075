export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Of a histogram: upper bounds in the name's unit. */
  readonly buckets?: readonly number[];
  readonly help: string;
  /** For people: what a strange value asks of them. */
  readonly act: string;
}

/** Buckets of what mostly takes less than a second. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Repositories that get a series of their own where every repository could have one: those that committed last. */
export const MOST_REPOSITORIES = 500;

/** Repositories that get a series of their own among those with unpushed changes: the oldest. */
export const MOST_UNPUSHED = 20;
