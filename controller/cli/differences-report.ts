import type { FieldDifference } from '../core/history/field-difference.ts';
import { renderField } from '../core/history/render-fields.ts';
import { type FileVersions, unifiedDiff } from '../core/history/unified-diff.ts';
import { type ObjectRef, renderRef } from '../core/object.ts';
import { oneLine } from '../core/words.ts';
import { paint } from './history-text.ts';
import { printLine } from './output.ts';

/** Objects that differ, as `diff` and `drift` show them: field by field, as Git's own diff, or as JSON. */

export interface ShownDifference {
  readonly ref: ObjectRef;
  readonly path: string;
  readonly what: 'added' | 'removed' | 'changed';
  fields(): readonly FieldDifference[];
  versions(): FileVersions;
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

/** The object with its sign, then its fields. */
export function printDifference({ ref, what, fields }: ShownDifference): void {
  const sign = SIGNS[what];
  printLine(paint(sign, `${sign} ${oneLine(renderRef(ref))}`));
  for (const line of fields().flatMap(renderField)) printLine(paint(line.sign, `    ${line.sign} ${line.text}`));
}

/** Byte for byte, but on a terminal, which what somebody committed may not steer. */
export function printRaw(difference: ShownDifference): void {
  const isTerminal = process.stdout.isTTY === true;
  for (const line of unifiedDiff(difference.versions()).split('\n')) {
    printLine(isTerminal ? paint(line.charAt(0), oneLine(line)) : line);
  }
}

/** Values of secrets are absent. */
export function jsonOfDifference({ ref, path, what, fields }: ShownDifference): object {
  return {
    object: renderRef(ref),
    ...ref,
    path,
    what,
    fields: fields().map(({ pointer, change, before, after, isSecret }) => ({
      pointer,
      change,
      before,
      after,
      isSecret,
    })),
  };
}
