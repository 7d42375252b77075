import { isJsonObject, type Json } from '../object.ts';
import { isSame, namesOf } from './same.ts';

/** Which element of one list is which of another. */

/** Beyond this many comparisons the best order is not searched for. */
const MOST_COMPARISONS = 250_000;

/**
 * For each element of a sanitised list its index in the list as the server sent it: sanitising may have taken elements out, taken
 * fields out of elements, and sorted. Undefined when they do not fit.
 */
export function alignToRaw(raw: readonly Json[], live: readonly Json[]): readonly number[] | undefined {
  if (raw.length === live.length && raw.every((element, index) => contains(element, live[index]))) {
    return live.map((_, index) => index);
  }
  if (raw.length < live.length) return undefined;
  const inOrder = raw.length * live.length > MOST_COMPARISONS ? undefined : alignInOrder(raw, live);
  return inOrder ?? alignInAnyOrder(raw, live);
}

/** Of the ways to take elements out, the one that leaves the most elements whole. */
function alignInOrder(raw: readonly Json[], live: readonly Json[]): readonly number[] | undefined {
  const width = raw.length + 1;
  const best = new Float64Array((live.length + 1) * width).fill(-1);
  best.fill(0, live.length * width);
  const score = (row: number, column: number) => best[row * width + column] as number;
  const taken = (row: number, column: number): number => {
    const after = score(row + 1, column + 1);
    if (after < 0 || !contains(raw[column], live[row])) return -1;
    return after + (isWhole(raw[column], live[row]) ? 1 : 0);
  };
  for (let row = live.length - 1; row >= 0; row--) {
    for (let column = raw.length - 1; column >= 0; column--) {
      best[row * width + column] = Math.max(score(row, column + 1), taken(row, column));
    }
  }
  if (score(0, 0) < 0) return undefined;
  const indexes: number[] = [];
  for (let column = 0; indexes.length < live.length; column++) {
    const row = indexes.length;
    if (taken(row, column) === score(row, column)) indexes.push(column);
  }
  return indexes;
}

function alignInAnyOrder(raw: readonly Json[], live: readonly Json[]): readonly number[] | undefined {
  const free = new Set(raw.keys());
  const indexes: number[] = live.map(() => -1);
  for (const fits of [isWhole, contains]) {
    for (const [at, element] of live.entries()) {
      if (indexes[at] !== -1) continue;
      const found = firstOf(free, (index) => fits(raw[index], element));
      if (found === undefined) continue;
      indexes[at] = found;
      free.delete(found);
    }
  }
  return indexes.includes(-1) ? undefined : indexes;
}

/** Lists mostly keep their order, so the first is nearly always the one. */
function firstOf(indexes: ReadonlySet<number>, fits: (index: number) => boolean): number | undefined {
  for (const index of indexes) if (fits(index)) return index;
  return undefined;
}

/** Can sanitising have made `live` of `raw`? */
function contains(raw: Json | undefined, live: Json | undefined): boolean {
  if (raw === null) return live === null || live === '';
  if (Array.isArray(live)) return Array.isArray(raw) && alignToRaw(raw, live) !== undefined;
  if (!isJsonObject(live)) return isSame(raw, live);
  return (
    isJsonObject(raw) && Object.keys(live).every((key) => Object.hasOwn(raw, key) && contains(raw[key], live[key]))
  );
}

/** The same, but for nulls. */
function isWhole(raw: Json | undefined, live: Json | undefined): boolean {
  if (!isJsonObject(raw) || !isJsonObject(live)) return isSame(raw, live);
  return Object.keys(raw).every((key) => raw[key] === null || Object.hasOwn(live, key)) && contains(raw, live);
}

/** For each wanted element the index of the present one that becomes it; -1 for a new one. None becomes another than a `fixed` one is. */
export function pairUp(
  wanted: readonly Json[],
  present: readonly Json[],
  isFixed: (index: number) => boolean,
): readonly number[] {
  const names = namesOf(wanted, present);
  if (names !== undefined) {
    const [wantedNames = [], presentNames = []] = names;
    const indexes = new Map(presentNames.map((name, index) => [name, index]));
    return wantedNames.map((name) => indexes.get(name) ?? -1);
  }
  const free = new Set(present.keys());
  const claim = (index: number | undefined): number => (index !== undefined && free.delete(index) ? index : -1);
  const equal = wanted.map((element, at) => {
    if (free.has(at) && isSame(present[at], element)) return claim(at);
    return claim(firstOf(free, (index) => isSame(present[index], element)));
  });
  if (wanted.length !== present.length) return equal;
  return equal.map((index, at) => (index === -1 && !isFixed(at) ? claim(at) : index));
}
