import type { Unit } from './section.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** Numbers as a reader wants them: three digits that mean something. */

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return 'n/a';
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatWith(value: number, unit: Unit): string {
  return `${formatNumber(value)} ${unit}`;
}

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function mebibytes(bytes: number): number {
  return bytes / 2 ** 20;
}

export function formatBytes(bytes: number): string {
  if (Math.abs(bytes) < 1024) return `${Math.round(bytes)} B`;
  if (Math.abs(bytes) < 2 ** 20) return `${formatNumber(bytes / 1024)} KiB`;
  return `${formatNumber(mebibytes(bytes))} MiB`;
}

/** `1.20 (1.10 to 1.40)`: median, least and most. */
export function formatSpread(samples: readonly number[] | Spread, format = formatNumber): string {
  const { median, least, most } = 'median' in samples ? samples : spreadOf(samples);
  return `${format(median)} (${format(least)} to ${format(most)})`;
}
