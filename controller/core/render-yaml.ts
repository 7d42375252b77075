import { isJsonObject, type Json, type JsonObject } from './object.ts';

/**
 * YAML for people and for kubectl: whatever could be read as something else by any version of YAML is quoted, numbers keep their spelling,
 * texts of several lines are blocks. JSON's own spelling of a text is YAML too.
 */

/** Of an object, so that people find what it is. */
const FIRST = ['apiVersion', 'kind', 'metadata'];

/** One document without a marker; ends with a newline. */
export function renderYaml(value: Json): string {
  if (!isJsonObject(value)) return `${body(value, 0).trimStart()}\n`;
  const rest = Object.keys(value).filter((key) => !FIRST.includes(key));
  const keys = [...FIRST.filter((key) => Object.hasOwn(value, key)), ...rest];
  return `${keys.length === 0 ? '{}' : map(value, keys, 0)}\n`;
}

/** What stands behind `key:` or `-`, with the blank or line break before it. */
function body(value: Json, indent: number): string {
  if (Array.isArray(value)) return value.length === 0 ? ' []' : `\n${list(value, indent)}`;
  if (!isJsonObject(value)) return ` ${scalar(value, indent)}`;
  const keys = Object.keys(value);
  return keys.length === 0 ? ' {}' : `\n${map(value, keys, indent)}`;
}

function map(value: JsonObject, keys: readonly string[], indent: number): string {
  const lines = keys.map((key) => {
    const child = value[key] as Json;
    // A list may stand as far left as its key.
    return `${keyOf(key, indent)}:${body(child, Array.isArray(child) ? indent : indent + 2)}`;
  });
  return lines.map((line) => `${' '.repeat(indent)}${line}`).join('\n');
}

function list(values: readonly Json[], indent: number): string {
  const lines = values.map((value) => {
    const text = body(value, indent + 2);
    // A map or list begins on the line of its dash.
    return `${' '.repeat(indent)}-${text.startsWith('\n') ? ` ${text.slice(1 + indent + 2)}` : text}`;
  });
  return lines.join('\n');
}

/** Parsers look no further than 1024 bytes for the colon of a key. */
function keyOf(key: string, indent: number): string {
  const text = isPlain(key) ? key : quote(key);
  return text.length < 250 ? text : `? ${text}\n${' '.repeat(indent)}`;
}

function scalar(value: Json, indent: number): string {
  if (typeof value !== 'string') return isNumber(value) ? value.rawJSON : JSON.stringify(value);
  if (isPlain(value)) return value;
  return isBlock(value) ? block(value, indent) : quote(value);
}

function isNumber(value: Json): value is { rawJSON: string } {
  return JSON.isRawJSON(value);
}

/** What some version of YAML takes for a boolean, a number or nothing. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

function isPlain(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*$/.test(text) && !WORDS.test(text);
}

function isBlock(text: string): boolean {
  return (
    text.includes('\n') &&
    !/^[\n\t ]|[ \t](?:\n|$)|[^\n\t\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text)
  );
}

function block(text: string, indent: number): string {
  const chomp = !text.endsWith('\n') ? '-' : text.endsWith('\n\n') ? '+' : '';
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  const pad = ' '.repeat(indent);
  return `|${chomp}\n${lines.map((line) => (line === '' ? '' : pad + line)).join('\n')}`;
}

/** JSON leaves in clear what YAML calls no text. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
