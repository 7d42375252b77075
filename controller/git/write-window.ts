import { type CommitDraft, renderCommit } from './commit-object.ts';
import { type PackedBytes, packEntry } from './deflate.ts';
import type { DirectoryTree } from './directory-tree.ts';
import { EMPTY_TREE, type ObjectId, type ObjectType, objectId } from './object-id.ts';
import { ENTRY } from './pack-format.ts';
import { PackIndexBuilder } from './pack-index.ts';
import { type FinishOptions, PackWriter, type WrittenPack } from './pack-writer.ts';
import type { StagedChange } from './staging.ts';

/** The objects of one pack by id: the same content under two paths is written once. */
export type PackObjects = Map<ObjectId, PackedBytes>;

/** The blobs that lie in memory. */
export function stagedObjects(changes: ReadonlyMap<string, StagedChange>): PackObjects {
  const objects: PackObjects = new Map();
  for (const change of changes.values()) {
    if (change.id !== undefined && change.entry !== undefined) objects.set(change.id, change.entry);
  }
  return objects;
}

export function addTrees(objects: PackObjects, trees: readonly DirectoryTree[], root: ObjectId): void {
  for (const tree of trees) objects.set(tree.id, packEntry(ENTRY.tree, tree.image.raw));
  if (root === EMPTY_TREE) objects.set(root, packEntry(ENTRY.tree, Buffer.alloc(0)));
}

export function addObject(objects: PackObjects, type: ObjectType, content: Buffer): ObjectId {
  const id = objectId(type, content);
  objects.set(id, packEntry(ENTRY[type], content));
  return id;
}

export function addCommit(objects: PackObjects, draft: CommitDraft): ObjectId {
  return addObject(objects, 'commit', renderCommit(draft));
}

/** Writes one window's pack; when this resolves it is durable, and nothing points to it yet. */
export async function writeWindow(
  packDirectory: string,
  objects: PackObjects,
  options: Omit<FinishOptions, 'renderIndex' | 'modified'>,
): Promise<WrittenPack> {
  await using writer = await PackWriter.create(packDirectory, objects.size);
  const rows: { id: ObjectId; crc: number; offset: number }[] = [];
  for (const [id, { parts, crc }] of objects) {
    rows.push({ id, crc, offset: writer.offset });
    for (const part of parts) writer.add(part);
    if (writer.isFull) await writer.flush();
  }
  rows.sort((a, b) => (a.id < b.id ? -1 : 1));
  const index = new PackIndexBuilder(rows.length);
  for (const { id, crc, offset } of rows) index.add(id, crc, offset);
  return await writer.finish({ ...options, renderIndex: (checksum) => index.finish(checksum) });
}
