import { readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isKnownDurable, makeDirectory } from './durable-file.ts';
import { errnoOf, refused, writtenByOther } from './errors.ts';
import { FencedFile, type Guard } from './fenced-file.ts';
import type { ObjectId } from './object-id.ts';
import { readPackedRefs, removePackedRef } from './packed-refs.ts';
import { requireRefName } from './ref-name.ts';
import { looseRefs, readRef } from './refs.ts';

/** Where a ref must be, and where it goes; undefined where it does not exist. */
export interface RefChange {
  readonly from: ObjectId | undefined;
  readonly to: ObjectId | undefined;
}

export interface RefMove {
  readonly ref: string;
  readonly from: ObjectId | undefined;
  readonly to: ObjectId;
}

export interface UpdateOptions {
  readonly guard?: Guard | undefined;
  /** Told as soon as readers see the change; it is durable when `updateRef` returns. */
  readonly moved?: () => void;
}

/** Durable compare-and-swap of a ref, or its removal. Throws DATA_DIRECTORY_IN_USE when it is not at `from`. */
export async function updateRef(
  directory: string,
  name: string,
  change: RefChange,
  { guard, moved }: UpdateOptions = {},
): Promise<void> {
  await using ref = await lockRef(directory, name, change.from, guard);
  if (change.to === undefined) {
    if (change.from === undefined) return;
    // First the older place: while the loose file is there, nobody looks at it.
    await removePackedRef(directory, name, guard);
    await ref.remove();
  } else {
    await ref.write(`${change.to}\n`);
    await ref.publish();
  }
  moved?.();
  await ref.makeDurable();
}

/** Takes Git's lock of a ref that must be at `expected`; its directories are made. */
export async function lockRef(
  directory: string,
  name: string,
  expected: ObjectId | undefined,
  guard?: Guard,
): Promise<FencedFile> {
  requireRefName(directory, name);
  if (expected === undefined) await makeWay(directory, name);
  const lock = await lockFile(directory, name, guard);
  try {
    const actual = readRef(directory, name);
    if (actual === expected) return lock;
    await guard?.();
    throw writtenByOther(directory, `${name} is at ${actual ?? 'nothing'} where ${expected ?? 'nothing'} was expected`);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** Git removes directories of refs that are empty: the one that was there a moment ago is made again. */
async function lockFile(directory: string, name: string, guard: Guard | undefined): Promise<FencedFile> {
  const parent = join(directory, dirname(name));
  if (isKnownDurable(parent)) {
    try {
      return await FencedFile.lock(directory, name, guard);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  await makeDirectory(directory, parent);
  return await FencedFile.lock(directory, name, guard);
}

/** Refs are files: none can be where another one needs a directory. Empty directories of refs that are gone are no obstacle. */
async function makeWay(directory: string, name: string): Promise<void> {
  for (const other of readPackedRefs(directory).keys()) refuseNested(directory, name, other);
  await removeEmptyDirectories(join(directory, name));
  for (const other of looseRefs(directory, 'refs')) refuseNested(directory, name, other);
}

function refuseNested(directory: string, name: string, other: string): void {
  if (!other.startsWith(`${name}/`) && !name.startsWith(`${other}/`)) return;
  throw refused(directory, `${name} cannot be beside ${other}, choose another name`);
}

async function removeEmptyDirectories(path: string): Promise<void> {
  try {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.isDirectory()) await removeEmptyDirectories(join(path, entry.name));
    }
    await rmdir(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
