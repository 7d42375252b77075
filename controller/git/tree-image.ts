import { type ObjectId, objectId } from './object-id.ts';

/**
 * One directory as Git stores it (`MODE NAME\0ID`, in Git's order) and where each entry begins: some fifty bytes per
 * file, no JavaScript object for any of them, and the bytes of the tree object at hand without rendering. Never changed
 * once made: an edit makes a new image and shares what it can.
 */
export interface TreeImage {
  readonly raw: Buffer;
  /** One more than there are entries: the last is the length of `raw`. */
  readonly offsets: Uint32Array;
}

export const FILE_MODE = '100644';
export const DIRECTORY_MODE = '40000';

const NUL = 0;
const SPACE = 0x20;
const SLASH = 0x2f;
const ID_BYTES = 20;

export const EMPTY_IMAGE: TreeImage = { raw: Buffer.alloc(0), offsets: new Uint32Array(1) };

/** Throws a RangeError when the bytes are no tree. */
export function readTreeImage(raw: Buffer): TreeImage {
  const offsets: number[] = [0];
  for (let at = 0; at < raw.length; ) {
    let end = at;
    while (end < raw.length && raw[end] !== NUL) end += 1;
    at = end + 1 + ID_BYTES;
    if (at > raw.length) throw new RangeError('The tree ends inside an entry');
    offsets.push(at);
  }
  return { raw, offsets: Uint32Array.from(offsets) };
}

export function treeId(image: TreeImage): ObjectId {
  return objectId('tree', image.raw);
}

export function entryCount(image: TreeImage): number {
  return image.offsets.length - 1;
}

export function entryId(image: TreeImage, index: number): ObjectId {
  const end = image.offsets[index + 1] as number;
  return image.raw.toString('hex', end - ID_BYTES, end);
}

export function entryName(image: TreeImage, index: number): string {
  return image.raw.toString('utf8', nameStart(image, index), nameEnd(image, index));
}

export function entryMode(image: TreeImage, index: number): string {
  return image.raw.toString('latin1', image.offsets[index] as number, nameStart(image, index) - 1);
}

/** A directory's mode is the only one that begins with a 4: all others have six digits and begin with a 1. */
export function isDirectory(image: TreeImage, index: number): boolean {
  return image.raw[image.offsets[index] as number] === 0x34;
}

/** The index of an entry, or the complement (`~index`) of where it would stand. */
export function findEntry(image: TreeImage, name: Buffer, directory: boolean): number {
  let low = 0;
  let high = entryCount(image) - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareEntry(image, middle, name, directory);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}

/** Git's order: bytes of the name, a directory's name as if it ended in a slash. */
function compareEntry(image: TreeImage, index: number, name: Buffer, directory: boolean): number {
  const start = nameStart(image, index);
  const length = nameEnd(image, index) - start;
  const shared = Math.min(length, name.length);
  const order = image.raw.compare(name, 0, shared, start, start + shared);
  if (order !== 0) return order;
  const own = length > shared ? (image.raw[start + shared] as number) : isDirectory(image, index) ? SLASH : NUL;
  const other = name.length > shared ? (name[shared] as number) : directory ? SLASH : NUL;
  return own - other;
}

/** A mode has five digits (directory) or six. */
function nameStart(image: TreeImage, index: number): number {
  const start = image.offsets[index] as number;
  return image.raw[start + 5] === SPACE ? start + 6 : start + 7;
}

function nameEnd(image: TreeImage, index: number): number {
  return (image.offsets[index + 1] as number) - ID_BYTES - 1;
}
