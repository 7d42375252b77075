import type { FieldChange } from './diff.ts';
import { endingOf } from './ending.ts';
import type { Json } from './object.ts';

/** A field's change in its own words: `image 1.4 -> 1.5` for a subject, the whole path for a body. Never a secret's value. */

export interface FieldWords {
  readonly short: string;
  readonly long: string;
}

const LONGEST_VALUE = 48;
const SEALED = /^(?:kubekeeper:|ENC\[)/;

export function describe(change: FieldChange): FieldWords {
  const ending = endingIn(change);
  if (ending !== undefined) return { short: ending, long: ending };
  return { short: describeShort(change), long: describeLong(change) };
}

/** Of a status only how something ended is archived, unless somebody's own rules keep more. */
function endingIn({ segments: [first, ...rest], before, after }: FieldChange): string | undefined {
  if (first !== 'status') return undefined;
  const isGone = after === undefined && rest.length === 0;
  if (isGone) return endingOf(before) === undefined ? undefined : 'has not finished';
  if (before !== undefined || after === undefined) return undefined;
  return endingOf(rest.reduceRight<Json>((value, key) => ({ [key]: value }), after));
}

/** Short, for a commit's subject. */
function describeShort(change: FieldChange): string {
  const name = shortName(change.segments);
  if (name === 'restartedAt') return 'restarted';
  if (change.before === undefined) return `${name} added`;
  if (change.after === undefined) return `${name} removed`;
  const values = name === 'image' ? imageValues(change) : [renderValue(change.before), renderValue(change.after)];
  return values.every((value) => value !== undefined) ? `${name} ${values[0]} -> ${values[1]}` : `${name} changed`;
}

/** Whole, for a line of the body. */
function describeLong(change: FieldChange): string {
  const path = renderPath(change.segments);
  const before = change.before === undefined ? undefined : renderValue(change.before);
  const after = change.after === undefined ? undefined : renderValue(change.after);
  if (change.before === undefined) return after === undefined ? `${path} added` : `${path} added: ${after}`;
  if (change.after === undefined) return before === undefined ? `${path} removed` : `${path} removed (was ${before})`;
  return before === undefined || after === undefined ? `${path} changed` : `${path} ${before} -> ${after}`;
}

/** 'spec.template.spec.containers[web].image'; keys that hold dots are quoted. */
export function renderPath(segments: readonly string[]): string {
  let path = '';
  for (const segment of segments) {
    if (/^\[.*\]$/s.test(segment)) path += oneLine(segment);
    else if (/^[A-Za-z0-9_-]+$/.test(segment)) path += path === '' ? segment : `.${segment}`;
    else path += `[${JSON.stringify(segment)}]`;
  }
  return path;
}

/** The last key, with the one before it where the last alone says nothing ('labels app', 'web port'). */
function shortName(segments: readonly string[]): string {
  const last = segments.at(-1) ?? 'everything';
  if (last.startsWith('[')) return `${segments.at(-2) ?? ''}${oneLine(last)}`;
  if (last.endsWith('/restartedAt')) return 'restartedAt';
  const parent = segments.at(-2);
  if (parent === 'labels') return `label ${oneLine(last)}`;
  if (parent === 'annotations') return `annotation ${oneLine(last)}`;
  return oneLine(last);
}

/** Only the tags where the image's name stays. */
function imageValues(change: FieldChange): [string | undefined, string | undefined] {
  const before = renderValue(change.before);
  const after = renderValue(change.after);
  const [was, is] = [splitImage(before), splitImage(after)];
  return was !== undefined && is !== undefined && was.name === is.name ? [was.tag, is.tag] : [before, after];
}

function splitImage(image: string | undefined): { name: string; tag: string } | undefined {
  const match = image === undefined ? null : /^(.*[^:@])[:@]([^/:]+(?::[^/:]+)?)$/.exec(image);
  return match === null ? undefined : { name: match[1] as string, tag: match[2] as string };
}

/** A short scalar as it is, quoted where it is empty or has blanks; undefined for what is secret, long or structured. */
function renderValue(value: Json | undefined): string | undefined {
  if (value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string' || SEALED.test(value) || value.length > LONGEST_VALUE) return undefined;
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(value)) return undefined;
  return value === '' || /\s/.test(value) ? JSON.stringify(value) : value;
}

/** A name from the cluster on one line: control characters would forge trailers or colour a terminal. */
export function oneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`,
  );
}
