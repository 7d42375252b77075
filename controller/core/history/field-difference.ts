import { difference, type FieldChange, valueNamed } from '../diff.ts';
import { parseJson } from '../json.ts';
import { jsonProblem } from '../json-problem.ts';
import { isJsonObject, type Json } from '../object.ts';
import { withoutResealed } from '../resealed.ts';

/** What differs between two versions of a manifest, field by field, for people and for machines. A secret's value is never among it. */

export interface FieldDifference {
  /** As in core/diff.ts: '/spec/template/spec/containers/[web]/image'. */
  readonly pointer: string;
  readonly segments: readonly string[];
  readonly change: 'added' | 'removed' | 'changed';
  /** As it stands in the file; undefined where it is not there, and of what is secret. */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  /** It holds sealed values, which are not told. */
  readonly isSecret: boolean;
}

/** Of two texts of manifests; one that is no JSON that we would write differs as a whole, without values. */
export function fieldDifferences(before: string, after: string): readonly FieldDifference[] {
  const [was, is] = [parse(before), parse(after)];
  if (was === undefined || is === undefined) return before === after ? [] : [WHOLE];
  return changesBetween(was, is).map((change) => tell(change, was, is));
}

/** The same as `core/diff.ts` tells it, for words; of parsed manifests. */
export function fieldChanges(before: Json | undefined, after: Json | undefined): readonly FieldChange[] {
  return before === undefined || after === undefined ? [] : changesBetween(before, after);
}

/** A manifest's text, or undefined for a file that is none. */
export function parse(text: string): Json | undefined {
  if (jsonProblem(text) !== undefined) return undefined;
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const WHOLE: FieldDifference = {
  pointer: '',
  segments: [],
  change: 'changed',
  before: undefined,
  after: undefined,
  isSecret: true,
};

function changesBetween(was: Json, is: Json): readonly FieldChange[] {
  return withoutResealed(difference(was, is), was, is);
}

function tell({ pointer, segments, before, after }: FieldChange, was: Json, is: Json): FieldDifference {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const values = [
    before === undefined ? undefined : valueNamed(was, segments),
    after === undefined ? undefined : valueNamed(is, segments),
  ];
  const isSecret = values.some(holdsSealed);
  const [old, new_] = isSecret ? [undefined, undefined] : values;
  return { pointer, segments, change, before: old, after: new_, isSecret };
}

const SEALED = /^(?:kubekeeper:|ENC\[)/;

function holdsSealed(value: Json | undefined): boolean {
  if (typeof value === 'string') return SEALED.test(value);
  if (Array.isArray(value)) return value.some(holdsSealed);
  return isJsonObject(value) && Object.values(value).some(holdsSealed);
}
