import jsonPatch from 'fast-json-patch';
import { isJsonObject, type Json } from './object.ts';
import { childAt } from './pointer.ts';

/**
 * The field-wise difference of two manifests, for people. Lists whose elements have names (containers, ports, variables) are
 * compared by name, so that one more container in front is one addition and not a rewrite of all; other lists are one value.
 */

export interface FieldChange {
  /** RFC 6901, with list elements by name: '/spec/template/spec/containers/[web]/image'. */
  readonly pointer: string;
  readonly segments: readonly string[];
  /** Undefined: the field was not there. */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** All fields that differ, outermost first; empty when equal. Either side may be undefined. */
export function difference(before: Json | undefined, after: Json | undefined): readonly FieldChange[] {
  const left = { value: before === undefined ? null : keyed(before) };
  const right = { value: after === undefined ? null : keyed(after) };
  return jsonPatch.compare(left as object, right as object).map((operation) => {
    const segments = operation.path.split('/').slice(2).map(jsonPatch.unescapePathComponent);
    return {
      pointer: operation.path.slice('/value'.length),
      segments,
      before: operation.op === 'add' ? undefined : valueAt(left.value, segments),
      after: operation.op === 'remove' ? undefined : valueAt(right.value, segments),
    };
  });
}

/** The same document with named lists as maps and other lists and exact numbers as one comparable value. */
function keyed(value: Json): Json {
  if (Array.isArray(value)) return keyedList(value) ?? `${JSON.stringify(value)}`;
  if (JSON.isRawJSON(value)) return value.rawJSON;
  if (!isJsonObject(value)) return value;
  return fromEntries(Object.keys(value).map((key) => [key, keyed(value[key] as Json)]));
}

function keyedList(values: readonly Json[]): Json | undefined {
  const names = namesOf(values);
  return names && fromEntries(values.map((value, index) => [names[index] as string, keyed(value)]));
}

/** How a difference names the elements of a list, by their names or else by their places; undefined where the list is one value. */
function namesOf(values: readonly Json[]): readonly string[] | undefined {
  if (values.length === 0 || !values.every(isJsonObject)) return undefined;
  for (const key of ['name', 'containerPort', 'port', 'mountPath', 'type', 'key', 'host']) {
    const names = values.map((value) => (Object.hasOwn(value, key) ? String(value[key]) : ''));
    if (names.every((name) => name !== '') && new Set(names).size === names.length)
      return names.map((name) => `[${name}]`);
  }
  return values.map((_, index) => `[${index}]`);
}

/** What a difference's segments name in a document, as it stands there; undefined where nothing is. */
export function valueNamed(root: Json, segments: readonly string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const segment of segments) {
    value = Array.isArray(value) ? value[namesOf(value)?.indexOf(segment) ?? -1] : childAt(value, segment);
  }
  return value;
}

/** `__proto__` is a key like any other. */
function fromEntries(entries: readonly (readonly [string, Json])[]): Json {
  const object: { [key: string]: Json } = {};
  for (const [key, value] of entries) {
    if (key !== '__proto__') object[key] = value;
    else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return object;
}

function valueAt(root: Json, segments: readonly string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const segment of segments) {
    if (!isJsonObject(value) || !Object.hasOwn(value, segment)) return undefined;
    value = value[segment];
  }
  return value;
}
