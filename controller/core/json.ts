import type { Json } from './object.ts';

/**
 * JSON in and out with every number as the server spelled it. A double holds 15 digits and respells `1.0` and `1e3`, so a
 * text with such a number takes the slow road: the reviver's source text (ECMAScript, JSON.parse source text access).
 */

const INEXACT = /(?:^|":|[[,])\s*-?(?:0(?<=-0)|\d{16}|\d+(?:\.|[eE]))/;

/** Parses JSON text; a number that a double would change becomes `JSON.rawJSON`. Throws SyntaxError. */
export function parseJson(text: string): Json {
  // `__proto__` as a key: JSON.parse makes it an own property, as it should be.
  return INEXACT.test(text) ? JSON.parse(text, keepExactNumber) : JSON.parse(text);
}

function keepExactNumber(_key: string, value: Json, context?: { source?: string }): Json {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return String(value) === context.source ? value : JSON.rawJSON(context.source);
}

/**
 * Stable JSON: keys sorted by UTF-16 code unit, two spaces, empty objects and arrays inline, a newline at the end. The bytes are
 * those of json-stable-stringify with `space: 2, collapseEmpty: true`; ours also writes exact numbers and is faster.
 */
export function renderJson(value: Json): string {
  return `${write(value, '\n')}\n`;
}

function write(value: Json, indent: string): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
    case 'number':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return Array.isArray(value) ? writeArray(value, indent) : writeObject(value as { [key: string]: Json }, indent);
  }
}

function writeArray(values: readonly Json[], indent: string): string {
  if (values.length === 0) return '[]';
  const inner = `${indent}  `;
  let text = '[';
  for (let index = 0; index < values.length; index++) {
    text += `${index === 0 ? '' : ','}${inner}${write(values[index] as Json, inner)}`;
  }
  return `${text}${indent}]`;
}

function writeObject(value: { readonly [key: string]: Json }, indent: string): string {
  if (JSON.isRawJSON(value)) return value.rawJSON;
  const keys = Object.keys(value).sort();
  if (keys.length === 0) return '{}';
  const inner = `${indent}  `;
  let text = '{';
  let separator = '';
  for (const key of keys) {
    text += `${separator}${inner}${JSON.stringify(key)}: ${write(value[key] as Json, inner)}`;
    separator = ',';
  }
  return `${text}${indent}}`;
}
