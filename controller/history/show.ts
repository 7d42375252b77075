import { nearestFirst } from '../core/nearest.ts';
import { type ObjectRef, renderRef } from '../core/object.ts';
import { oneLine } from '../core/words.ts';
import type { KeeperError } from '../errors.ts';
import { readCommit } from '../git/commit-queue.ts';
import { EMPTY_TREE, type ObjectId } from '../git/object-id.ts';
import { selectPoint } from '../git/select-point.ts';
import type { CommitChanges } from './changes.ts';
import { volumesReader } from './commit-volumes.ts';
import { deletedObjects } from './deleted.ts';
import { changedFiles, fileIdAt, readingCache } from './files.ts';
import { compileWanted, refAt, type Wanted } from './objects.ts';
import { type History, usage } from './open-history.ts';

/** One object at a restore point, as it lies in Git. */
export interface ShownObject {
  readonly ref: ObjectRef;
  readonly path: string;
  /** That it was read from. */
  readonly commit: ObjectId;
  readonly time: Date;
  /** It was gone by then, and this is its last version. */
  readonly deletedIn: CommitChanges | undefined;
  readonly bytes: Buffer;
  /** What volume data that commit has, in words; undefined where it says nothing of volumes. */
  readonly volumes: string | undefined;
}

interface ShowOptions {
  readonly now: Date;
  readonly onProgress?: (commits: number) => void;
}

/** `object` is RESOURCE/NAME; `at` a commit, tag or time, HEAD when undefined. Throws USAGE_INVALID when there was none by then, or several. */
export async function showObject(
  history: History,
  { object, at }: { readonly object: string; readonly at: string | undefined },
  options: ShowOptions,
): Promise<ShownObject> {
  if (!/^[^/]+\/./.test(object))
    throw usage(`${JSON.stringify(object)} names no object; write RESOURCE/NAME, for example deployments.apps/web`);
  const commit = at === undefined ? history.head : await selectPoint(history.archive, at, options.now);
  const wanted = compileWanted(history, [object]);
  const here = objectsAt(history, commit, wanted);
  const [found, ...others] = here;
  if (others.length > 0)
    throw several(
      object,
      here.map(({ ref }) => ref),
    );
  if (found !== undefined) return read(history, { ...found, commit, deletedIn: undefined });
  const gone = await Array.fromAsync(deletedObjects(history, wanted, { ...options, until: commit }));
  const [last, ...more] = gone;
  if (more.length > 0)
    throw several(
      object,
      gone.map(({ ref }) => ref),
    );
  if (last !== undefined) return read(history, { ...last, commit: last.lastIn });
  throw neverThere(history, commit, object, wanted);
}

interface Place {
  readonly ref: ObjectRef;
  readonly path: string;
}

function objectsAt(history: History, commit: ObjectId, wanted: Wanted): readonly Place[] {
  const { tree } = readCommit(history.archive.store, commit);
  return changedFiles(history.archive, [EMPTY_TREE, tree], wanted.mayBeOf, readingCache())
    .map((file) => ({ path: file.path, ref: refAt(history, file, () => file.after) }))
    .filter(({ ref }) => wanted.includes(ref));
}

function read({ archive }: History, place: Place & Pick<ShownObject, 'commit' | 'deletedIn'>): ShownObject {
  const found = readCommit(archive.store, place.commit);
  const { tree, time } = found;
  const id = fileIdAt(archive, tree, place.path) as ObjectId;
  const { ref, path, commit, deletedIn } = place;
  const volumes = volumesReader(archive)(found);
  return { ref, path, commit, time, deletedIn, bytes: archive.store.readAs('blob', id), volumes };
}

function several(object: string, refs: readonly ObjectRef[]): KeeperError {
  const names = refs.slice(0, 5).map((ref) => oneLine(renderRef(ref)));
  const rest = refs.length > names.length ? ` and ${refs.length - names.length} more` : '';
  return usage(`${JSON.stringify(object)} fits ${refs.length} objects, name one: ${names.join(', ')}${rest}`);
}

function neverThere(history: History, commit: ObjectId, object: string, wanted: Wanted): KeeperError {
  const all = { includes: () => true, mayBeOf: wanted.mayBeOf };
  const names = objectsAt(history, commit, all).map(({ ref }) => renderRef(ref));
  const nearest =
    names.length > 5000 || object.length > 200 ? [] : nearestFirst(names, object).slice(0, 3).map(oneLine);
  const hint = nearest.length === 0 ? 'there is none of its kind' : `the nearest are ${nearest.join(', ')}`;
  return usage(
    `There is no ${oneLine(object)} in "${history.name}" at ${commit.slice(0, 10)}, and there never was before; ${hint}`,
  );
}
