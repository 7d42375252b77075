import { isJsonObject, type Json } from '../object.ts';

/** Comparing JSON as the API means it: the order of keys is nothing, exact numbers count by their text. */

export function isSame(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return isSameNumber(left, right);
  }
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((one, at) => isSame(one, right[at]));
  }
  if (JSON.isRawJSON(left)) return isSameNumber(left, right);
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
  );
}

function isSameNumber(left: Json | undefined, right: Json | undefined): boolean {
  const isRaw = JSON.isRawJSON(left) || JSON.isRawJSON(right);
  return isRaw && JSON.stringify(left) === JSON.stringify(right);
}

/** The fields that may name the elements of a list, as differences spell them ('[web]'). */
const NAMES = ['name', 'containerPort', 'port', 'mountPath', 'type', 'key', 'host'];

/** The elements' names by one field that all of them have and no two share; undefined when there is none for all the lists. */
export function namesOf(...lists: readonly (readonly Json[])[]): readonly (readonly string[])[] | undefined {
  for (const key of NAMES) {
    const named = lists.map((list) => list.map((element) => nameOf(element, key)));
    const isTelling = named.every(
      (names) => names.every((name) => name !== '') && new Set(names).size === names.length,
    );
    if (isTelling) return named;
  }
  return undefined;
}

function nameOf(element: Json, key: string): string {
  const name = isJsonObject(element) && Object.hasOwn(element, key) ? element[key] : undefined;
  if (JSON.isRawJSON(name)) return name.rawJSON;
  return typeof name === 'object' || name === undefined ? '' : String(name);
}

/** Where the element that a segment means lies: '0' by index, '[web]' by name; -1 for nowhere. */
export function indexOfElement(list: readonly Json[], segment: string): number {
  if (/^(?:0|[1-9]\d*)$/.test(segment)) return Number(segment) < list.length ? Number(segment) : -1;
  const named = /^\[(.*)\]$/s.exec(segment)?.[1];
  if (named === undefined) return -1;
  const names = namesOf(list)?.[0];
  if (names !== undefined) return names.indexOf(named);
  return /^\d+$/.test(named) && Number(named) < list.length ? Number(named) : -1;
}
