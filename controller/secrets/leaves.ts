import { isJsonObject, type Json, type RawNumber } from '../core/object.ts';
import { childAt, parsePointer, renderPointer } from '../core/pointer.ts';

/** The scalars of an object, where they are, and an object with some of them replaced. */

/** A string, number or boolean. A null holds nothing, so it is no leaf (nor is it one for sops). */
export interface Leaf {
  /** Concrete RFC 6901 pointer. */
  readonly pointer: string;
  /** The keys of objects on the way; indexes of arrays are left out, as sops leaves them out of a path. */
  readonly keys: readonly string[];
  readonly value: string | number | boolean | RawNumber;
}

/** All leaves in the order of the file that `renderJson` writes, or unsorted: as they came. */
export function leavesOf(root: Json, order: Order = sorted): Leaf[] {
  const leaves: Leaf[] = [];
  collect(root, [], [], leaves, order);
  return leaves;
}

type Order = (keys: string[]) => readonly string[];

const sorted: Order = (keys) => keys.sort();

/** For `leavesOf`: the order in which the keys came. */
export const unsorted: Order = (keys) => keys;

/** The leaves at and under the pointers, each once; a pointer to nothing gives none. */
export function leavesAt(root: Json, pointers: readonly string[]): Leaf[] {
  const leaves = new Map<string, Leaf>();
  for (const pointer of pointers) {
    for (const leaf of leavesUnder(root, parsePointer(pointer))) leaves.set(leaf.pointer, leaf);
  }
  return [...leaves.values()];
}

/** A copy of `root` in which every leaf has what `replace` gives for it; `root` stays as it is. */
export function replaceLeaves(root: Json, leaves: readonly Leaf[], replace: (leaf: Leaf) => Json): Json {
  const copied = new Set<Json>();
  const top: { root: Json } = { root };
  for (const leaf of leaves) {
    const segments = ['root', ...parsePointer(leaf.pointer)];
    const last = segments.pop() as string;
    let parent: Json = top;
    for (const segment of segments) parent = ownChild(parent, segment, copied);
    put(parent, last, replace(leaf));
  }
  return top.root;
}

function leavesUnder(root: Json, segments: readonly string[]): Leaf[] {
  const keys: string[] = [];
  let value: Json | undefined = root;
  for (const segment of segments) {
    if (!Array.isArray(value)) keys.push(segment);
    value = childAt(value, segment);
  }
  const leaves: Leaf[] = [];
  if (value !== undefined) collect(value, segments, keys, leaves, sorted);
  return leaves;
}

function collect(
  value: Json,
  segments: readonly string[],
  keys: readonly string[],
  leaves: Leaf[],
  order: Order,
): void {
  if (value === null) return;
  if (Array.isArray(value)) {
    for (const [index, child] of value.entries()) collect(child, [...segments, String(index)], keys, leaves, order);
  } else if (isJsonObject(value)) {
    for (const key of order(Object.keys(value))) {
      collect(value[key] as Json, [...segments, key], [...keys, key], leaves, order);
    }
  } else {
    leaves.push({ pointer: renderPointer(segments), keys, value: value as Leaf['value'] });
  }
}

/** The child, copied before the first change; spreading keeps `__proto__` as the plain key that it is. */
function ownChild(parent: Json, segment: string, copied: Set<Json>): Json {
  const child = childAt(parent, segment) as Json;
  if (copied.has(child)) return child;
  const copy = Array.isArray(child) ? [...child] : { ...(child as { [key: string]: Json }) };
  copied.add(copy);
  put(parent, segment, copy);
  return copy;
}

/** Only for a key that is there: an own `__proto__` is set like any other, a missing one would change the prototype. */
function put(parent: Json, segment: string, value: Json): void {
  (parent as { [key: string]: Json })[segment] = value;
}
