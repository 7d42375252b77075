import type { Json, JsonObject, KubeObject } from './object.ts';
import { setAt, setKey, valueAt } from './pointer.ts';
import type { Sanitised } from './sanitise.ts';
import { stableText } from './sanitise-sort.ts';

/**
 * Is what differs between two manifests of an object held, all of it? `before` is the archived one. Neither is changed. Both sides
 * must be in the form of the file (sealed, where it has secrets).
 */
export function differsOnlyInHeld(
  before: KubeObject,
  after: KubeObject,
  { held, heldOrder }: Pick<Sanitised, 'held' | 'heldOrder'>,
): boolean {
  if (held.length === 0 && heldOrder.length === 0) return false;
  const standing = copy(after);
  for (const pointer of held) setAt(standing, pointer, valueAt(before, pointer));
  for (const pointer of heldOrder) {
    const [was, is] = [valueAt(before, pointer), valueAt(standing, pointer)];
    if (was !== undefined && unordered(was) === unordered(is)) setAt(standing, pointer, was);
  }
  return stableText(standing) === stableText(before);
}

function unordered(value: Json | undefined): string | undefined {
  return Array.isArray(value) ? value.map(stableText).sort().join() : undefined;
}

/** A deep copy that passes exact numbers on. */
export function copy<Value extends Json>(value: Value): Value {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value;
  if (Array.isArray(value)) return value.map(copy) as Json as Value;
  const made: JsonObject = {};
  for (const key of Object.keys(value)) setKey(made, key, copy((value as JsonObject)[key] as Json));
  return made as Json as Value;
}
