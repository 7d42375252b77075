/** Medians and ranges, never means: one disturbed round must not move the figure. */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** Throws RangeError when there is nothing to sum up. */
export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError('no samples were taken');
  return {
    median: quantile(samples, 0.5),
    least: Math.min(...samples),
    most: Math.max(...samples),
    count: samples.length,
  };
}

/** With linear interpolation between the two nearest samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Round by round: what disturbs the machine for a while disturbs both sides of a pair. */
export function pairwise(over: readonly number[], under: readonly number[]): readonly number[] {
  return over.slice(0, under.length).map((value, round) => value / (under[round] ?? Number.NaN));
}
