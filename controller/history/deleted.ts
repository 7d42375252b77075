import type { ObjectRef } from '../core/object.ts';
import type { ObjectId } from '../git/object-id.ts';
import { type CommitChanges, changes, type Span } from './changes.ts';
import type { Wanted } from './objects.ts';
import type { History } from './open-history.ts';

/** An object that is gone, and where it can be found. */
export interface DeletedObject {
  readonly ref: ObjectRef;
  readonly path: string;
  readonly deletedIn: CommitChanges;
  /** The last commit that has it. */
  readonly lastIn: ObjectId;
}

/** What the span's end does not have and an earlier commit has, the last deletion first. */
export async function* deletedObjects(history: History, wanted: Wanted, span: Span): AsyncGenerator<DeletedObject> {
  const seen = new Set<string>();
  for await (const commit of changes(history, wanted, span)) {
    for (const { ref, path, what } of commit.objects) {
      if (seen.has(path)) continue;
      seen.add(path);
      if (what === 'deleted' && commit.parent !== undefined)
        yield { ref, path, deletedIn: commit, lastIn: commit.parent };
    }
  }
}
