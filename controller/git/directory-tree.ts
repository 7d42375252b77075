import { type EntryEdit, editTreeImage } from './edit-tree-image.ts';
import { invalidPath } from './errors.ts';
import type { ObjectId } from './object-id.ts';
import {
  EMPTY_IMAGE,
  entryCount,
  entryId,
  entryMode,
  entryName,
  findEntry,
  isDirectory,
  readTreeImage,
  type TreeImage,
  treeId,
} from './tree-image.ts';

/** A directory and all below it, as ids. Immutable: an edit shares every directory that it does not touch. */
export interface DirectoryTree {
  readonly id: ObjectId;
  readonly image: TreeImage;
  readonly directories: ReadonlyMap<string, DirectoryTree>;
  /** In this directory and below. */
  readonly fileCount: number;
}

export interface FilePlace {
  readonly path: string;
  readonly id: ObjectId;
}

const SUBMODULE_MODE = '160000';

/** Reads a tree and its directories through `read`, which throws what the caller should see when an object is missing. */
export function loadTree(id: ObjectId, read: (id: ObjectId) => Buffer): DirectoryTree {
  const image = readTreeImage(read(id));
  const directories = new Map<string, DirectoryTree>();
  let fileCount = 0;
  for (let index = 0; index < entryCount(image); index++) {
    if (!isDirectory(image, index)) {
      fileCount += 1;
      continue;
    }
    const directory = loadTree(entryId(image, index), read);
    directories.set(entryName(image, index), directory);
    fileCount += directory.fileCount;
  }
  return { id, image, directories, fileCount };
}

export function fileIdIn(tree: DirectoryTree | undefined, path: string): ObjectId | undefined {
  let directory = tree;
  let start = 0;
  for (let slash = path.indexOf('/'); slash >= 0 && directory !== undefined; slash = path.indexOf('/', start)) {
    directory = directory.directories.get(path.slice(start, slash));
    start = slash + 1;
  }
  if (directory === undefined) return undefined;
  const found = findEntry(directory.image, Buffer.from(path.slice(start)), false);
  return found < 0 ? undefined : entryId(directory.image, found);
}

/** Every file in Git's order, with the path from the tree's top. */
export function* filesIn(tree: DirectoryTree | undefined, prefix = ''): Generator<FilePlace> {
  if (tree === undefined) return;
  const { image } = tree;
  for (let index = 0; index < entryCount(image); index++) {
    const name = entryName(image, index);
    if (isDirectory(image, index)) yield* filesIn(tree.directories.get(name), `${prefix}${name}/`);
    else if (entryMode(image, index) !== SUBMODULE_MODE) yield { path: prefix + name, id: entryId(image, index) };
  }
}

export interface TreeEdit {
  /** Undefined when no file is left. */
  readonly tree: DirectoryTree | undefined;
  /** The directories whose tree objects are new. */
  readonly changed: DirectoryTree[];
}

/** Puts (id) and takes out (undefined) files by path; directories come and go with their files. */
export function editTree(
  tree: DirectoryTree | undefined,
  changes: ReadonlyMap<string, ObjectId | undefined>,
): TreeEdit {
  const changed: DirectoryTree[] = [];
  const edited = editDirectory(tree, toPathTree(changes), '', changed);
  return { tree: edited, changed };
}

/** Changes sorted into directories. */
interface PathTree {
  readonly files: Map<string, ObjectId | undefined>;
  readonly directories: Map<string, PathTree>;
}

function toPathTree(changes: ReadonlyMap<string, ObjectId | undefined>): PathTree {
  const top: PathTree = { files: new Map(), directories: new Map() };
  for (const [path, id] of changes) {
    let place = top;
    let start = 0;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', start)) {
      const name = path.slice(start, slash);
      let below = place.directories.get(name);
      if (below === undefined) {
        below = { files: new Map(), directories: new Map() };
        place.directories.set(name, below);
      }
      place = below;
      start = slash + 1;
    }
    place.files.set(path.slice(start), id);
  }
  return top;
}

function editDirectory(
  tree: DirectoryTree | undefined,
  changes: PathTree,
  prefix: string,
  changed: DirectoryTree[],
): DirectoryTree | undefined {
  const edits: EntryEdit[] = [];
  const directories = new Map(tree?.directories);
  for (const [name, below] of changes.directories) {
    const edited = editDirectory(tree?.directories.get(name), below, `${prefix}${name}/`, changed);
    if (edited === undefined) directories.delete(name);
    else directories.set(name, edited);
    edits.push({ name: Buffer.from(name), directory: true, id: edited?.id });
  }
  for (const [name, id] of changes.files) edits.push({ name: Buffer.from(name), directory: false, id });
  const image = editTreeImage(tree?.image ?? EMPTY_IMAGE, edits);
  if (entryCount(image) === 0) return undefined;
  if (tree !== undefined && image.raw.equals(tree.image.raw)) return tree;
  refuseTwins(image, edits, prefix);
  let fileCount = entryCount(image) - directories.size;
  for (const directory of directories.values()) fileCount += directory.fileCount;
  const edited = { id: treeId(image), image, directories, fileCount };
  changed.push(edited);
  return edited;
}

/** A name cannot be a file and a directory at once; Git would show only one of the two. */
function refuseTwins(image: TreeImage, edits: readonly EntryEdit[], prefix: string): void {
  for (const { name, directory, id } of edits) {
    if (id === undefined || findEntry(image, name, !directory) < 0) continue;
    throw invalidPath(`${prefix}${name.toString()}`, 'it would be a file and a directory at once');
  }
}
