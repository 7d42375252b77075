/** What RESULTS.md says about one bench. */
export interface Section {
  /** What was done, so that a reader can judge the figures. */
  readonly how: readonly string[];
  readonly targets: readonly Target[];
  readonly tables: readonly Table[];
  readonly remarks: readonly string[];
}

export interface Target {
  readonly what: string;
  readonly reach: 'at most' | 'at least';
  readonly limit: number;
  readonly value: number;
  readonly unit: Unit;
}

export type Unit = 'x' | 'MiB' | 'ms' | 's' | '%' | '/s';

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function isMet({ reach, limit, value }: Target): boolean {
  return reach === 'at most' ? value <= limit : value >= limit;
}
