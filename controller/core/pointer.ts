import { isJsonObject, type Json, type JsonObject } from './object.ts';

/** JSON pointers (RFC 6901): '' is the whole document, '/spec/ports/0' a place in it; '~0' is '~' and '~1' is '/' in a key. */

/** The keys and indexes of a valid pointer, unescaped. */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  const segments = pointer.slice(1).split('/');
  return pointer.includes('~') ? segments.map(unescapeSegment) : segments;
}

export function renderPointer(segments: readonly string[]): string {
  let pointer = '';
  for (const segment of segments) pointer += `/${escapeSegment(segment)}`;
  return pointer;
}

function escapeSegment(segment: string): string {
  if (!segment.includes('~') && !segment.includes('/')) return segment;
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescapeSegment(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** What is wrong with a pointer, or undefined; `nearest` is the valid pointer that was most likely meant. */
export function pointerFault(pointer: string): { fault: string; nearest: string } | undefined {
  if (pointer !== '' && !pointer.startsWith('/')) {
    const dotted = !pointer.includes('/') && pointer.includes('.') ? pointer.replaceAll('.', '/') : pointer;
    const nearest = `/${dotted.replace(/^[/$.#]+/, '')}`.replace(/~(?![01])/g, '~0');
    return { fault: "does not begin with '/'", nearest };
  }
  if (/~(?![01])/.test(pointer)) {
    return {
      fault: "has a '~' that is neither '~0' (for '~') nor '~1' (for '/')",
      nearest: pointer.replace(/~(?![01])/g, '~0'),
    };
  }
  if (pointer.length > 1 && pointer.endsWith('/'))
    return { fault: "ends with '/'", nearest: pointer.replace(/\/+$/, '') };
  return undefined;
}

/** The child of an object or array, or undefined; never a property of a prototype. */
export function childAt(value: Json | undefined, segment: string): Json | undefined {
  if (Array.isArray(value)) return /^(?:0|[1-9]\d*)$/.test(segment) ? value[Number(segment)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

/** The value at a concrete pointer, or undefined where nothing is. */
export function valueAt(root: Json | undefined, pointer: string): Json | undefined {
  let value = root;
  for (const segment of parsePointer(pointer)) value = childAt(value, segment);
  return value;
}

/** All values that a pointer with `*` segments names. */
export function valuesAt(root: Json | undefined, segments: readonly string[]): readonly Json[] {
  let values: Json[] = root === undefined ? [] : [root];
  for (const segment of segments) values = values.flatMap((value) => childrenAt(value, segment));
  return values;
}

function childrenAt(value: Json, segment: string): readonly Json[] {
  if (segment === '*') return Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
  const child = childAt(value, segment);
  return child === undefined ? [] : [child];
}

/**
 * Sets the value at a concrete pointer in place, or removes it with `undefined`. Where the parent is missing, or an array is too
 * short for the index, nothing happens; '' has no parent, so it does nothing either.
 */
export function setAt(root: Json, pointer: string, value: Json | undefined): void {
  const segments = parsePointer(pointer);
  const last = segments.pop();
  if (last === undefined) return;
  let parent: Json | undefined = root;
  for (const segment of segments) parent = childAt(parent, segment);
  if (Array.isArray(parent)) setElement(parent, last, value);
  else if (isJsonObject(parent)) setKey(parent, last, value);
}

function setElement(values: Json[], segment: string, value: Json | undefined): void {
  const index = Number(segment);
  if (!/^(?:0|[1-9]\d*)$/.test(segment) || index > values.length) return;
  if (value !== undefined) values[index] = value;
  else if (index < values.length) values.splice(index, 1);
}

/** Sets an own property, also where its name is that of a setter. */
export function setKey(holder: JsonObject, key: string, value: Json | undefined): void {
  if (value === undefined) delete holder[key];
  // A plain assignment would change the prototype where no such key exists yet.
  else if (key === '__proto__')
    Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
  else holder[key] = value;
}
