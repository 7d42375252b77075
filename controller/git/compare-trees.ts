import { Breath } from './breathe.ts';
import { parseCommit } from './commit-object.ts';
import { type FilePlace, fileIdIn, filesIn, loadTree } from './directory-tree.ts';
import type { HistorySource } from './history.ts';
import { EMPTY_TREE, type ObjectId } from './object-id.ts';
import { diffTreeContents } from './tree-diff.ts';

/** The files of one commit, as ids. */
export interface CommitTree {
  readonly id: ObjectId;
  readonly fileCount: number;
  fileId(path: string): ObjectId | undefined;
  /** In Git's order: all, or those below one top directory. Paths are whole. */
  files(directory?: string): Iterable<FilePlace>;
}

/** `before` or `after` is undefined where the file is missing. */
export interface FileDifference {
  readonly path: string;
  readonly before: ObjectId | undefined;
  readonly after: ObjectId | undefined;
}

export function treeAt(source: HistorySource, commit: ObjectId): CommitTree {
  const id = treeIdOf(source, commit);
  const tree = id === EMPTY_TREE ? undefined : loadTree(id, (each) => source.store.readAs('tree', each));
  return {
    id,
    fileCount: tree?.fileCount ?? 0,
    fileId: (path) => fileIdIn(tree, path),
    files: (directory) =>
      directory === undefined ? filesIn(tree) : filesIn(tree?.directories.get(directory), `${directory}/`),
  };
}

/** The files that differ between two commits or trees, in Git's order. Directories that are equal are not read. */
export async function diffTrees(source: HistorySource, before: ObjectId, after: ObjectId): Promise<FileDifference[]> {
  const differences: FileDifference[] = [];
  const old = source.store.readAs('tree', treeIdOf(source, before));
  await diffInto(source, differences, '', old, source.store.readAs('tree', treeIdOf(source, after)), new Breath());
  return differences;
}

async function diffInto(
  source: HistorySource,
  differences: FileDifference[],
  prefix: string,
  before: Buffer,
  after: Buffer,
  breath: Breath,
): Promise<void> {
  for (const change of diffTreeContents(before, after)) {
    const path = prefix + change.name;
    await breath.take();
    if ((change.before ?? change.after)?.directory) {
      const read = (id: ObjectId | undefined) => source.store.readAs('tree', id ?? EMPTY_TREE);
      await diffInto(source, differences, `${path}/`, read(change.before?.id), read(change.after?.id), breath);
    } else differences.push({ path, before: change.before?.id, after: change.after?.id });
  }
}

function treeIdOf(source: HistorySource, id: ObjectId): ObjectId {
  const { type, content } = source.store.read(id);
  return type === 'commit' ? parseCommit(content).tree : id;
}
