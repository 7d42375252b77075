import type { Json } from '../object.ts';

/** Quantities as Kubernetes writes them ('1.5Gi', '100m', '2e3'), exactly. */

const NANO = 1_000_000_000n;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** In billionths, rounded up; undefined for what is no quantity. */
export function parseQuantity(value: Json | undefined): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d{1,3})|([KMGTPE]i)|([numkMGTPE]))?$/.exec(String(value));
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', , exponent, binary, decimal] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits =
    BigInt(`${whole}${fraction}`) * (binary === undefined ? 1n : 1024n ** BigInt(BINARY.indexOf(binary) + 1));
  const power = 9 - fraction.length + Number(exponent ?? 0) + (DECIMAL[decimal ?? ''] ?? 0);
  const amount = power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
  return sign === '-' ? -amount : amount;
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

/** For people: '3', '500m', '10Gi'. */
export function renderQuantity(amount: bigint): string {
  if (amount % NANO !== 0n) return amount % 1_000_000n === 0n ? `${amount / 1_000_000n}m` : `${amount}n`;
  const whole = amount / NANO;
  for (let at = BINARY.length - 1; at >= 0; at--) {
    const unit = 1024n ** BigInt(at + 1);
    if (whole >= unit && whole % unit === 0n) return `${whole / unit}${BINARY[at]}`;
  }
  return String(whole);
}
