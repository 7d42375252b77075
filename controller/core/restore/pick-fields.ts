import { isJsonObject, type Json, type JsonObject } from '../object.ts';
import { childAt, parsePointer, renderPointer } from '../pointer.ts';
import { indexOfElement, isSame, namesOf } from './same.ts';

/**
 * `live` with the values at these pointers, and only these, as they are in `target`; list elements by index or by name in brackets,
 * as differences write them ('/spec/template/spec/containers/[web]/image'). What `target` does not have is taken away. Where a list
 * has no element to hold the field, nothing changes. Neither argument is changed.
 */
export function pickFields(live: Json, target: Json, fields: readonly string[]): Json {
  return fields.reduce((value, field) => pick(value, target, parsePointer(field)) ?? value, live);
}

function pick(live: Json | undefined, target: Json | undefined, path: readonly string[]): Json | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return target;
  if (Array.isArray(live) || (live === undefined && Array.isArray(target))) {
    return pickElement(live ?? [], Array.isArray(target) ? target : [], segment, rest);
  }
  if (live !== undefined && !isJsonObject(live)) return live;
  return pickKey(live, isJsonObject(target) ? target : {}, segment, rest);
}

function pickKey(
  live: JsonObject | undefined,
  target: JsonObject,
  key: string,
  rest: readonly string[],
): Json | undefined {
  const is = live !== undefined && Object.hasOwn(live, key) ? live[key] : undefined;
  const should = Object.hasOwn(target, key) ? target[key] : undefined;
  const value = is === undefined && should === undefined ? undefined : pick(is, should, rest);
  if (isSame(value, is)) return live;
  const others = Object.entries(live ?? {}).filter(([other]) => other !== key);
  return Object.fromEntries(value === undefined ? others : [...others, [key, value]]);
}

function pickElement(
  live: readonly Json[],
  target: readonly Json[],
  segment: string,
  rest: readonly string[],
): Json | undefined {
  const at = indexOfElement(live, segment);
  const should = target[indexOfElement(target, segment)];
  if (at === -1) {
    // A whole element can be added; a part of one that is not there cannot.
    const added = rest.length === 0 && should !== undefined ? [...live, should] : live;
    return added.length === 0 ? undefined : [...added];
  }
  const value = pick(live[at], should, rest);
  return value === undefined ? live.toSpliced(at, 1) : live.with(at, value);
}

/**
 * The same place with list elements by name, where they have names: so it means the same element in another version of the object.
 * '/spec/ports/0/nodePort' -> '/spec/ports/[http]/nodePort'.
 */
export function namedPointer(root: Json, pointer: string): string {
  let holder: Json | undefined = root;
  const segments = parsePointer(pointer).map((segment) => {
    const name = Array.isArray(holder) ? namesOf(holder)?.[0]?.[Number(segment)] : undefined;
    holder = childAt(holder, segment);
    return name === undefined ? segment : `[${name}]`;
  });
  return renderPointer(segments);
}
