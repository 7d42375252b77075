import { ARCHIVE_FILE } from '../core/archive-file.ts';
import { parseCommit } from './commit-object.ts';
import { findTreeEntry } from './find-tree-entry.ts';
import type { ObjectId, ObjectType } from './object-id.ts';
import type { SoundObjects } from './sound-objects.ts';

/** The text of `.kubekeeper/archive.json` in a commit's tree; '' where there is none, undefined where the way to it is broken. */
export function archiveFileAt(objects: SoundObjects, commit: ObjectId): string | undefined {
  const content = readAs(objects, 'commit', commit);
  if (content === undefined) return undefined;
  let id = parseCommit(content).tree;
  for (const part of ARCHIVE_FILE.split('/')) {
    const tree = readAs(objects, 'tree', id);
    if (tree === undefined) return undefined;
    const entry = findTreeEntry(tree, part);
    if (entry === undefined) return '';
    id = entry;
  }
  return readAs(objects, 'blob', id)?.toString();
}

function readAs(objects: SoundObjects, type: ObjectType, id: ObjectId): Buffer | undefined {
  const row = objects.row(id);
  return row >= 0 && objects.known.type(row) === type ? objects.read(row) : undefined;
}
