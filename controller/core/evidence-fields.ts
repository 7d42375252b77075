import type { Writer } from './evidence-writers.ts';
import { isJsonObject, type Json, type JsonObject, objectAt, stringAt } from './object.ts';
import { childAt } from './pointer.ts';

/**
 * Who owns a field, by managedFields (fieldsV1 of structured-merge-diff): 'f:KEY' a field, 'k:{...}' the list element with these
 * keys, 'v:VALUE' a set's element, 'i:N' an index, '.' the thing itself; an empty set of fields owns everything below.
 */

/** The entries that own the field at `path`, or something inside it, in the order of managedFields. */
export function writersOf(managedFields: readonly Json[], object: Json, path: readonly string[]): readonly Writer[] {
  const writers: Writer[] = [];
  for (const entry of managedFields) {
    const fields = objectAt(entry, 'fieldsV1');
    if (fields === undefined || !ownsPath(fields, object, path)) continue;
    const writer = writerOf(entry);
    if (writer !== undefined) writers.push(writer);
  }
  return writers;
}

/** All who wrote anything, in the order of managedFields. */
export function allWriters(managedFields: readonly Json[]): readonly Writer[] {
  return managedFields.map(writerOf).filter((writer) => writer !== undefined);
}

function writerOf(entry: Json): Writer | undefined {
  const manager = stringAt(entry, 'manager');
  if (manager === undefined) return undefined;
  const subresource = stringAt(entry, 'subresource');
  const time = stringAt(entry, 'time');
  return {
    manager,
    operation: stringAt(entry, 'operation') ?? 'Update',
    ...(subresource === undefined || subresource === '' ? {} : { subresource }),
    ...(time === undefined ? {} : { time }),
  };
}

function ownsPath(fields: JsonObject, object: Json, path: readonly string[]): boolean {
  let owned = fields;
  let value: Json | undefined = object;
  for (const segment of path) {
    const element: Element | undefined = Array.isArray(value) ? elementAt(value, segment) : undefined;
    const child = Array.isArray(value) ? elementFields(owned, element) : objectAt(owned, `f:${segment}`);
    if (child === undefined) return false;
    if (isEmpty(child)) return true;
    owned = child;
    value = element === undefined ? childAt(value, segment) : element.value;
  }
  return true;
}

interface Element {
  readonly value: Json;
  readonly index: number;
}

const NAMES = ['name', 'containerPort', 'port', 'mountPath', 'type', 'key', 'host'];

/** By index, or by name in brackets as differences write it ('[web]'). */
function elementAt(values: readonly Json[], segment: string): Element | undefined {
  const named = /^\[(.*)\]$/s.exec(segment)?.[1];
  const index = named === undefined ? Number(segment) : indexOfName(values, named);
  const value = values[index];
  return value === undefined ? undefined : { value, index };
}

function indexOfName(values: readonly Json[], named: string): number {
  for (const key of NAMES) {
    const found = values.findIndex(
      (value) => isJsonObject(value) && Object.hasOwn(value, key) && String(value[key]) === named,
    );
    if (found !== -1) return found;
  }
  return /^\d+$/.test(named) ? Number(named) : -1;
}

function elementFields(owned: JsonObject, element: Element | undefined): JsonObject | undefined {
  if (element === undefined) return undefined;
  for (const key in owned) {
    const kind = key.slice(0, 2);
    const matches =
      (kind === 'k:' && hasKeys(element.value, parseKey(key))) ||
      (kind === 'v:' && isScalar(element.value, parseKey(key))) ||
      (kind === 'i:' && key === `i:${element.index}`);
    if (matches) return objectAt(owned, key);
  }
  return undefined;
}

function hasKeys(element: Json, keys: Json | undefined): boolean {
  if (!isJsonObject(keys)) return false;
  return Object.keys(keys).every((key) => isScalar(childAt(element, key), keys[key]));
}

function isScalar(value: Json | undefined, expected: Json | undefined): boolean {
  return expected !== undefined && value !== undefined && JSON.stringify(value) === JSON.stringify(expected);
}

/** Text that is no JSON names no element. */
function parseKey(key: string): Json | undefined {
  try {
    return JSON.parse(key.slice(2)) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isEmpty(fields: JsonObject): boolean {
  for (const _ in fields) return false;
  return true;
}
