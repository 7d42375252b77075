import { ByteCache } from '../git/byte-cache.ts';
import { findTreeEntry } from '../git/find-tree-entry.ts';
import { EMPTY_TREE, type ObjectId } from '../git/object-id.ts';
import type { ObjectCache, StoredObject } from '../git/object-store.ts';
import type { Archive } from '../git/open-archive.ts';
import { diffTreeContents } from '../git/tree-diff.ts';

/** The files of manifests in trees: where one is, and which differ between two. */

/** A file of a manifest that differs; undefined on the side where it is missing. */
export interface FileChange {
  readonly path: string;
  /** The directory that it lies in. */
  readonly resource: string;
  readonly before: ObjectId | undefined;
  readonly after: ObjectId | undefined;
}

/** Neighbouring versions are built from one another: worth room while a history is read. */
export function readingCache(): ObjectCache {
  return new ByteCache<StoredObject>(32 * 1024 * 1024);
}

/** The blob at a path of a tree. */
export function fileIdAt(archive: Archive, tree: ObjectId, path: string): ObjectId | undefined {
  let id: ObjectId | undefined = tree;
  for (const name of path.split('/')) {
    const object: StoredObject = archive.store.read(id);
    id = object.type === 'tree' ? findTreeEntry(object.content, name) : undefined;
    if (id === undefined) return undefined;
  }
  return id;
}

/** The manifests that differ between two trees, in Git's order; only of directories that `wants` them. What lies elsewhere is not ours. */
export function changedFiles(
  archive: Archive,
  [before, after]: readonly [ObjectId, ObjectId],
  wants: (resource: string) => boolean,
  cache: ObjectCache,
): readonly FileChange[] {
  if (before === after) return [];
  const read = (id: ObjectId | undefined) => readTree(archive, id, cache);
  const changes: FileChange[] = [];
  for (const top of diffTreeContents(read(before), read(after))) {
    const [was, is] = [top.before, top.after].map((entry) => (entry?.directory === true ? entry.id : undefined));
    if (was === is || top.name.startsWith('.') || !wants(top.name)) continue;
    for (const entry of diffTreeContents(read(was), read(is))) {
      if ((entry.before ?? entry.after)?.directory === true || !entry.name.endsWith('.json')) continue;
      const path = `${top.name}/${entry.name}`;
      changes.push({ path, resource: top.name, before: entry.before?.id, after: entry.after?.id });
    }
  }
  return changes;
}

/** Each is asked for twice, as what came and as what went: kept by its id, it need not be looked up again. */
function readTree(archive: Archive, id: ObjectId | undefined, cache: ObjectCache): Buffer {
  if (id === undefined) return archive.store.readAs('tree', EMPTY_TREE, cache);
  const known = cache.get(id);
  if (known !== undefined) return known.content;
  const content = archive.store.readAs('tree', id, cache);
  cache.set(id, { type: 'tree', content }, content.length + 200);
  return content;
}
