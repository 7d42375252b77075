import { type EntryEdit, editTreeImage } from './edit-tree-image.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import {
  EMPTY_IMAGE,
  entryCount,
  entryId,
  entryName,
  findEntry,
  isDirectory,
  readTreeImage,
  type TreeImage,
  treeId,
} from './tree-image.ts';

/** What became of the volume data of a commit: read them with `git notes --ref=data show`. */
export const NOTES = 'refs/notes/data';

/**
 * Git's notes are a tree whose paths are the ids of what they are about. Git cuts two digits off an id for a directory
 * where there are many, at each level anew, so any mixture may be met.
 */
const DIGITS = 2;

/** Up to here a directory of notes stays flat: each note writes it anew. */
const MOST_FLAT = 256;

/** The blob of a target's note in a tree of notes. */
export function findNote(store: ObjectStore, root: ObjectId, target: ObjectId): ObjectId | undefined {
  let directory: ObjectId | undefined = root;
  for (let rest = target; directory !== undefined && rest !== ''; rest = rest.slice(DIGITS)) {
    const image = readTreeImage(store.readAs('tree', directory));
    const found = findEntry(image, Buffer.from(rest), false);
    if (found >= 0) return entryId(image, found);
    directory = directoryIn(image, rest.slice(0, DIGITS));
  }
  return undefined;
}

export interface NoteEdit {
  readonly root: ObjectId;
  /** The trees that are new, by id. */
  readonly trees: ReadonlyMap<ObjectId, TreeImage>;
}

/** Puts a note where a target's note is already, or where Git would look for it. */
export function putNote(store: ObjectStore, root: ObjectId | undefined, target: ObjectId, blob: ObjectId): NoteEdit {
  const trees = new Map<ObjectId, TreeImage>();
  const put = (directory: ObjectId | undefined, rest: string): ObjectId => {
    let image = directory === undefined ? EMPTY_IMAGE : readDirectory(store, trees, directory);
    const isHere = findEntry(image, Buffer.from(rest), false) >= 0;
    if (!isHere && rest.length > DIGITS && entryCount(image) >= MOST_FLAT && !hasFanOut(image)) {
      image = fanOut(image, rest.length, trees);
    }
    const name = isHere || rest.length <= DIGITS || !hasFanOut(image) ? rest : rest.slice(0, DIGITS);
    const edit: EntryEdit =
      name === rest
        ? { name: Buffer.from(name), directory: false, id: blob }
        : { name: Buffer.from(name), directory: true, id: put(directoryIn(image, name), rest.slice(DIGITS)) };
    return keep(trees, editTreeImage(image, [edit]));
  };
  return { root: put(root, target), trees };
}

/** The same notes, one level down: those of one directory share their first digits. */
function fanOut(image: TreeImage, idLength: number, trees: Map<ObjectId, TreeImage>): TreeImage {
  const edits: EntryEdit[] = [];
  const below = new Map<string, EntryEdit[]>();
  for (let index = 0; index < entryCount(image); index++) {
    const name = entryName(image, index);
    if (isDirectory(image, index) || name.length !== idLength || !/^[0-9a-f]+$/.test(name)) continue;
    edits.push({ name: Buffer.from(name), directory: false, id: undefined });
    const group = below.get(name.slice(0, DIGITS)) ?? [];
    below.set(name.slice(0, DIGITS), group);
    group.push({ name: Buffer.from(name.slice(DIGITS)), directory: false, id: entryId(image, index) });
  }
  for (const [name, group] of below) {
    edits.push({ name: Buffer.from(name), directory: true, id: keep(trees, editTreeImage(EMPTY_IMAGE, group)) });
  }
  return editTreeImage(image, edits);
}

function keep(trees: Map<ObjectId, TreeImage>, image: TreeImage): ObjectId {
  const id = treeId(image);
  trees.set(id, image);
  return id;
}

function readDirectory(store: ObjectStore, trees: ReadonlyMap<ObjectId, TreeImage>, id: ObjectId): TreeImage {
  return trees.get(id) ?? readTreeImage(store.readAs('tree', id));
}

function directoryIn(image: TreeImage, name: string): ObjectId | undefined {
  const found = findEntry(image, Buffer.from(name), true);
  return found < 0 ? undefined : entryId(image, found);
}

function hasFanOut(image: TreeImage): boolean {
  for (let index = 0; index < entryCount(image); index++) {
    if (isDirectory(image, index) && /^[0-9a-f]{2}$/.test(entryName(image, index))) return true;
  }
  return false;
}
