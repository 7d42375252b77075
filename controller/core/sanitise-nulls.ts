import type { Json, JsonObject } from './object.ts';

/**
 * Takes every null out of the objects below, in place: the API servers write them for what is not set, some versions do and some
 * do not. In an array a null has a place of its own and stays. Exact numbers are objects of one string here, so they pass untouched. */
export function dropNulls(value: JsonObject | Json[]): void {
  if (Array.isArray(value)) {
    for (const element of value) {
      if (typeof element === 'object' && element !== null) dropNulls(element as JsonObject | Json[]);
    }
    return;
  }
  for (const key in value) {
    const child = value[key];
    if (child === null) delete value[key];
    else if (typeof child === 'object') dropNulls(child as JsonObject | Json[]);
  }
}
