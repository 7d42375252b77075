import { z } from 'zod';
import { clusterArchiveSchema } from '../../api/cluster-archive.ts';
import { nearestFirst } from '../nearest.ts';
import { isJsonObject, type Json } from '../object.ts';
import { oneLine } from '../words.ts';
import type { SpecFault } from './spec-faults.ts';

/** What a schema or YAML objects to, in words of ours: the libraries' own may quote a value, and a value may be a secret. */

const YAML_WORDS: Readonly<Record<string, string>> = {
  BAD_ALIAS: "text that begins with '*' needs quotes",
  BAD_INDENT: 'the indentation does not fit what is around it',
  BLOCK_AS_IMPLICIT_KEY: 'a value that holds ": " needs quotes, or the indentation does not fit what is around it',
  DUPLICATE_KEY: 'the key is there twice',
  MISSING_CHAR: 'a quote, bracket or ":" is missing',
  MULTILINE_IMPLICIT_KEY: 'a ":" is missing, or a quote is not closed',
  MULTIPLE_DOCS: 'there is a second document; only one is read',
  TAB_AS_INDENT: 'a tab indents; YAML takes only spaces',
  TAG_RESOLVE_FAILED: 'a tag (!name) means nothing here; a text that begins with "!" needs quotes',
  UNEXPECTED_TOKEN: 'something is too much here',
};

/** Of an error code of the YAML parser. */
export function yamlWords(code: string): string {
  return `not valid YAML: ${YAML_WORDS[code] ?? code.toLowerCase().replaceAll('_', ' ')}`;
}

/** One or more faults per issue; paths begin at the spec. */
export function issueFaults(issues: readonly z.core.$ZodIssue[], spec: Json | undefined): readonly SpecFault[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...issue.path, key], fault: unknownKey(key, issue.path) }));
    }
    return [{ path: issue.path, fault: `${placeOf(issue.path)} ${wordsOf(issue, valueAt(spec, issue.path))}` }];
  });
}

function placeOf(path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return text === '' ? 'the file' : oneLine(text.replace(/^\./, '')).slice(0, 120);
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const told = `key ${JSON.stringify(oneLine(key).slice(0, 60))} is not known here`;
  const places = placesOf(key, clusterArchiveSchema, []);
  if (places.length > 0) return `${told}; it belongs in ${places.join(' or ')}`;
  const keys = keysOf(schemaAt(path));
  return keys.length === 0 ? told : `${told}; nearest: "${nearestFirst(keys, key)[0]}"`;
}

function wordsOf(issue: z.core.$ZodIssue, found: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return found === undefined
        ? `is missing; expected is ${KINDS[issue.expected] ?? issue.expected}`
        : `is ${kindOf(found)}; expected is ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value': {
      const values = issue.values.map(String);
      const nearest = typeof found === 'string' ? `; nearest: "${nearestFirst(values, found)[0]}"` : '';
      return `is none of ${values.join(', ')}${nearest}`;
    }
    case 'invalid_format':
      return `is not ${issue.message}`;
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int' ? `is less than ${issue.minimum}` : 'is empty';
    case 'invalid_key':
      return `is not ${issue.issues[0]?.message ?? 'a key that is known'}`;
    default:
      return 'is not what it should be';
  }
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  object: 'a map of keys',
  record: 'a map of keys',
  string: 'text',
};

function kindOf(found: unknown): string {
  if (found === null) return 'empty';
  if (Array.isArray(found)) return 'a list';
  if (isJsonObject(found)) return 'a map of keys';
  return typeof found === 'string' ? 'text' : typeof found === 'boolean' ? 'true or false' : 'a number';
}

function valueAt(value: Json | undefined, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

/** Through what only wraps a schema. */
function bare(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? bare(schema.unwrap()) : schema;
}

function keysOf(schema: unknown): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function schemaAt(path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => {
    if (at instanceof z.ZodObject) return bare(at.shape[String(key)]);
    if (at instanceof z.ZodArray) return bare(at.element);
    return at instanceof z.ZodRecord ? bare(at.valueType) : undefined;
  }, clusterArchiveSchema);
}

/** Where a key is known: 'data.retention'. */
function placesOf(key: string, schema: unknown, path: readonly string[]): readonly string[] {
  if (schema instanceof z.ZodArray) return placesOf(key, bare(schema.element), path);
  if (!(schema instanceof z.ZodObject)) return [];
  const here = Object.hasOwn(schema.shape, key) ? [path.length === 0 ? 'the spec itself' : path.join('.')] : [];
  const below = Object.entries(schema.shape).flatMap(([name, part]) => placesOf(key, bare(part), [...path, name]));
  return [...here, ...below];
}
