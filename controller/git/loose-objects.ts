import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { errnoOf } from './errors.ts';
import { isObjectId, type ObjectId, type ObjectType, objectId } from './object-id.ts';
import type { StoredObject } from './object-store.ts';

/** Objects in files of their own: Git itself and people's commands leave them, we do not. */

/** Their ids, as the names of the files say. */
export function* looseObjects(directory: string): Generator<ObjectId> {
  for (const folder of readNames(join(directory, 'objects'))) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const file of readNames(join(directory, 'objects', folder)))
      if (isObjectId(folder + file)) yield folder + file;
  }
}

/** Undefined when it is not what its name says. */
export function readLoose(directory: string, id: ObjectId): StoredObject | undefined {
  const bytes = readFileSync(join(directory, 'objects', id.slice(0, 2), id.slice(2)));
  try {
    const inflated = inflateSync(bytes);
    const end = inflated.indexOf(0);
    const [type, size] = inflated.toString('latin1', 0, end).split(' ');
    const content = inflated.subarray(end + 1);
    if (type === undefined || !/^(?:commit|tree|blob|tag)$/.test(type) || size !== String(content.length))
      return undefined;
    return objectId(type as ObjectType, content) === id ? { type: type as ObjectType, content } : undefined;
  } catch (error) {
    // zlib's complaint; the file itself was read already.
    if (errnoOf(error)?.startsWith('Z_') || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** None where the directory is not there. */
export function readNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
