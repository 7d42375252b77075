import type { Json } from '../object.ts';
import { oneLine, renderPath } from '../words.ts';
import type { FieldDifference } from './field-difference.ts';
import { diffLines } from './line-diff.ts';

/** Fields that differ, as lines for people: what it was and what it is, in full; texts of several lines by their lines. */

export interface RenderedLine {
  readonly sign: '+' | '-' | '~' | ' ';
  readonly text: string;
}

const CONTEXT = 1;
const MOST_LINES = 200;

export function renderField(field: FieldDifference): readonly RenderedLine[] {
  const { change, before, after, isSecret } = field;
  const path = renderPath(field.segments) || 'the whole file';
  const sign = change === 'added' ? '+' : change === 'removed' ? '-' : '~';
  // An encrypted or fingerprinted value: that it differs is all that anybody may see here.
  if (isSecret) return [{ sign, text: change === 'changed' ? `${path}: changed` : `${path}: changed (${change})` }];
  if (isLong(before) || isLong(after)) return [{ sign, text: `${path}:` }, ...byLines(before, after)];
  if (change === 'added') return [{ sign, text: `${path}: ${renderValue(after)}` }];
  if (change === 'removed') return [{ sign, text: `${path}: ${renderValue(before)}` }];
  return [{ sign, text: `${path}: ${renderValue(before)} -> ${renderValue(after)}` }];
}

/** Several lines, or a structure that one line would hide. */
function isLong(value: Json | undefined): value is Json {
  if (typeof value === 'string') return /\n./s.test(value);
  return value !== undefined && renderValue(value).length > 100 && typeof value === 'object';
}

function byLines(before: Json | undefined, after: Json | undefined): readonly RenderedLine[] {
  const lines = diffLines(asText(before), asText(after), CONTEXT).flatMap(({ lines }) => lines);
  const shown = lines.slice(0, MOST_LINES).flatMap((line) => line.split('\n'));
  const rest = lines.length - MOST_LINES;
  return [...shown, ...(rest > 0 ? [` ... ${rest} lines more, --raw has all`] : [])].map((line) => ({
    sign: line.startsWith('+') ? '+' : line.startsWith('-') ? '-' : ' ',
    text: `  ${oneLine(line)}`,
  }));
}

function asText(value: Json | undefined): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** A word as it is, what could be misread in quotes. */
function renderValue(value: Json | undefined): string {
  if (typeof value === 'string' && /^[^\s"\p{Cc}\p{Cf}\u2028\u2029]+$/u.test(value)) return value;
  return oneLine(JSON.stringify(value));
}
