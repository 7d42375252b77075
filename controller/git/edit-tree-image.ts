import type { ObjectId } from './object-id.ts';
import { DIRECTORY_MODE, entryCount, FILE_MODE, findEntry, type TreeImage } from './tree-image.ts';

/** What becomes of one entry: an id to put, or undefined to take it out. */
export interface EntryEdit {
  readonly name: Buffer;
  readonly directory: boolean;
  readonly id: ObjectId | undefined;
}

/** `replaces` entries at index `at` give way to `bytes`. */
interface Splice {
  readonly at: number;
  readonly replaces: 0 | 1;
  readonly bytes: Buffer;
}

const NOTHING = Buffer.alloc(0);
const SLASH = Buffer.from('/');

/** A new image with the edits made: one pass over the bytes. At most one edit for each name and kind of entry. */
export function editTreeImage(image: TreeImage, edits: readonly EntryEdit[]): TreeImage {
  const keyed = edits.map((edit) => ({ edit, key: edit.directory ? Buffer.concat([edit.name, SLASH]) : edit.name }));
  keyed.sort((a, b) => a.key.compare(b.key));
  const splices: Splice[] = [];
  for (const { edit } of keyed) {
    const splice = toSplice(image, edit);
    if (splice !== undefined) splices.push(splice);
  }
  return splices.length === 0 ? image : applySplices(image, splices);
}

function toSplice(image: TreeImage, edit: EntryEdit): Splice | undefined {
  const found = findEntry(image, edit.name, edit.directory);
  if (edit.id === undefined) return found < 0 ? undefined : { at: found, replaces: 1, bytes: NOTHING };
  const mode = Buffer.from(`${edit.directory ? DIRECTORY_MODE : FILE_MODE} `, 'latin1');
  const bytes = Buffer.concat([mode, edit.name, Buffer.alloc(1), Buffer.from(edit.id, 'hex')]);
  return found < 0 ? { at: ~found, replaces: 0, bytes } : { at: found, replaces: 1, bytes };
}

function applySplices(image: TreeImage, splices: readonly Splice[]): TreeImage {
  let growth = 0;
  let added = 0;
  for (const { at, replaces, bytes } of splices) {
    growth += bytes.length - (replaces === 0 ? 0 : offsetOf(image, at + 1) - offsetOf(image, at));
    added += (bytes.length > 0 ? 1 : 0) - replaces;
  }
  const raw = Buffer.allocUnsafeSlow(image.raw.length + growth);
  const offsets = new Uint32Array(image.offsets.length + added);
  const target = { raw, offsets, filled: 0, count: 0 };
  let next = 0;
  for (const { at, replaces, bytes } of splices) {
    copyEntries(target, image, next, at);
    if (bytes.length > 0) {
      offsets[target.count++] = target.filled;
      target.filled += bytes.copy(raw, target.filled);
    }
    next = at + replaces;
  }
  copyEntries(target, image, next, entryCount(image));
  offsets[target.count] = target.filled;
  return { raw, offsets };
}

function copyEntries(
  target: { raw: Buffer; offsets: Uint32Array; filled: number; count: number },
  image: TreeImage,
  from: number,
  to: number,
): void {
  if (from === to) return;
  const start = offsetOf(image, from);
  const shift = target.filled - start;
  if (shift === 0) target.offsets.set(image.offsets.subarray(from, to), target.count);
  else for (let i = from; i < to; i++) target.offsets[target.count + i - from] = offsetOf(image, i) + shift;
  target.count += to - from;
  target.filled += image.raw.copy(target.raw, target.filled, start, offsetOf(image, to));
}

function offsetOf(image: TreeImage, index: number): number {
  return image.offsets[index] as number;
}
