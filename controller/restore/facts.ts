import { manifestPath } from '../core/manifest.ts';
import { Breath } from '../git/breathe.ts';
import { parseTrailers, type Trailer } from '../git/commit-object.ts';
import { readCommit } from '../git/commit-queue.ts';
import { hostile } from '../git/errors.ts';
import { findTreeEntry } from '../git/find-tree-entry.ts';
import { EMPTY_TREE, type ObjectId } from '../git/object-id.ts';
import type { Archive } from '../git/open-archive.ts';
import { diffTreeContents } from '../git/tree-diff.ts';

/** What the commits know of an object and its file does not hold. */

export interface Facts {
  /** Pointers of values that a person asked for and the server did not choose: '/spec/ports/0/nodePort'. */
  readonly requested: ReadonlySet<string>;
  /** Pointer and JSON of values that a restore wants to know: '/spec/volumeName "pvc-1"'. */
  readonly recorded: readonly string[];
}

const NOTHING: Facts = { requested: new Set(), recorded: [] };

/**
 * The facts of each path, from the commit that last saw its object change at or before `commit`; one walk over the archive's own line, which
 * ends as soon as all are found.
 */
export async function readFacts(
  archive: Archive,
  commit: ObjectId,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Facts>> {
  const found = new Map<string, Facts>();
  const wanted = groupByDirectory(paths);
  const breath = new Breath();
  for (let id: ObjectId | undefined = commit; id !== undefined && wanted.size > 0; ) {
    const { tree, parents, message } = readCommit(archive.store, id);
    const [parent] = parents;
    const trailers = trailersOf(archive, id, message);
    // Files that new rules rewrite say nothing of the object: such a commit saw no version of it.
    if (trailers.some(({ key }) => key === 'Resource-Version')) {
      const before = parent === undefined ? EMPTY_TREE : readCommit(archive.store, parent).tree;
      const changed = changedIn(archive, before, tree, wanted);
      const facts = changed.length === 0 ? undefined : factsIn(trailers);
      for (const path of changed) found.set(path, facts?.get(path) ?? NOTHING);
    }
    id = parent;
    await breath.take();
  }
  return found;
}

/** An expression that meets millions of lines runs out of room: then throws REPOSITORY_HOSTILE. */
export function trailersOf(archive: Archive, id: ObjectId, message: string): readonly Trailer[] {
  try {
    return parseTrailers(message);
  } catch (error) {
    if (error instanceof RangeError) throw hostile(archive.directory, `commit ${id} has a message without an end`);
    throw error;
  }
}

function groupByDirectory(paths: readonly string[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const path of paths) {
    const slash = path.indexOf('/');
    const directory = path.slice(0, slash);
    const names = groups.get(directory) ?? new Set();
    names.add(path.slice(slash + 1));
    groups.set(directory, names);
  }
  return groups;
}

/** The wanted paths that differ; they are wanted no longer. */
function changedIn(archive: Archive, before: ObjectId, after: ObjectId, wanted: Map<string, Set<string>>): string[] {
  if (before === after) return [];
  const changed: string[] = [];
  const [old, new_] = [before, after].map((id) => archive.store.readAs('tree', id)) as [Buffer, Buffer];
  for (const [directory, names] of [...wanted]) {
    const [was, is] = [findTreeEntry(old, directory), findTreeEntry(new_, directory)];
    if (was === is) continue;
    for (const { name } of diffTreeContents(readTree(archive, was), readTree(archive, is))) {
      if (names.delete(name)) changed.push(`${directory}/${name}`);
    }
    if (names.size === 0) wanted.delete(directory);
  }
  return changed;
}

/** A file may once have stood where the directory is. */
function readTree(archive: Archive, id: ObjectId | undefined): Buffer {
  const object = archive.store.read(id ?? EMPTY_TREE);
  return object.type === 'tree' ? object.content : archive.store.read(EMPTY_TREE).content;
}

/** By path: `Requested: services/web /spec/ports/0/nodePort`, `Recorded: persistentvolumeclaims/db /spec/volumeName "pvc-1"`. */
function factsIn(trailers: readonly Trailer[]): ReadonlyMap<string, Facts> {
  const facts = new Map<string, { requested: Set<string>; recorded: string[] }>();
  for (const { key, value } of trailers) {
    if (key !== 'Requested' && key !== 'Recorded') continue;
    // A name may hold blanks, and a pointer begins with a slash.
    const [, resource, name, fact] = /^([^/ ]+)\/(.+?) (\/.*)$/.exec(value) ?? [];
    if (resource === undefined || name === undefined || fact === undefined) continue;
    const path = manifestPath({ resource, name });
    const own = facts.get(path) ?? { requested: new Set(), recorded: [] };
    facts.set(path, own);
    if (key === 'Requested') own.requested.add(fact);
    else own.recorded.push(fact);
  }
  return facts;
}
