/** How many bytes are equal from the given positions on. */
export function commonPrefix(a: Buffer, b: Buffer, aStart = 0, bStart = 0): number {
  const most = Math.min(a.length - aStart, b.length - bStart);
  const isEqual = (from: number, count: number) =>
    a.compare(b, bStart + from, bStart + from + count, aStart + from, aStart + from + count) === 0;
  let length = 0;
  let step = 64;
  while (length + step <= most && isEqual(length, step)) {
    length += step;
    step *= 2;
  }
  for (; step >= 1; step = Math.floor(step / 2)) {
    if (length + step <= most && isEqual(length, step)) length += step;
  }
  return length;
}

/** How many bytes are equal up to the ends. */
export function commonSuffix(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  const isEqual = (before: number, count: number) =>
    a.compare(b, b.length - before - count, b.length - before, a.length - before - count, a.length - before) === 0;
  let length = 0;
  let step = 64;
  while (length + step <= most && isEqual(length, step)) {
    length += step;
    step *= 2;
  }
  for (; step >= 1; step = Math.floor(step / 2)) {
    if (length + step <= most && isEqual(length, step)) length += step;
  }
  return length;
}
