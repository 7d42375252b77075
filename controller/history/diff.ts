import { type FieldDifference, fieldDifferences } from '../core/history/field-difference.ts';
import type { FileVersions } from '../core/history/unified-diff.ts';
import type { ObjectRef } from '../core/object.ts';
import { readCommit } from '../git/commit-queue.ts';
import type { ObjectId } from '../git/object-id.ts';
import { changedFiles, readingCache } from './files.ts';
import { refAt, type Wanted } from './objects.ts';
import type { History } from './open-history.ts';

/** An object that two states have otherwise. Its versions are read when they are asked for. */
export interface ObjectDifference {
  readonly ref: ObjectRef;
  readonly path: string;
  readonly what: 'added' | 'removed' | 'changed';
  /** Of what both states have. */
  fields(): readonly FieldDifference[];
  versions(): FileVersions;
}

/** What has to be done to the first commit to come to the second, by path in Git's order. */
export function* diffPoints(
  history: History,
  [from, to]: readonly [ObjectId, ObjectId],
  wanted: Wanted,
): Generator<ObjectDifference> {
  const { store } = history.archive;
  const cache = readingCache();
  const text = (id: ObjectId) => store.readAs('blob', id, cache).toString();
  const version = (id: ObjectId | undefined) => (id === undefined ? undefined : { id, text: text(id) });
  const trees = [readCommit(store, from).tree, readCommit(store, to).tree] as const;
  for (const file of changedFiles(history.archive, trees, wanted.mayBeOf, cache)) {
    const { path, before, after } = file;
    const ref = refAt(history, file, () => after ?? before);
    if (!wanted.includes(ref)) continue;
    yield {
      ref,
      path,
      what: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
      fields: () => (before === undefined || after === undefined ? [] : fieldDifferences(text(before), text(after))),
      versions: () => ({ path, before: version(before), after: version(after) }),
    };
  }
}
