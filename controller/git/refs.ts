import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { damaged, errnoOf } from './errors.ts';
import { isObjectId, type ObjectId } from './object-id.ts';
import { readPackedRefs } from './packed-refs.ts';
import { isRefName } from './ref-name.ts';

export const MAIN = 'refs/heads/main';

/** As Git: a ref may name a ref, which may name a ref, and so on. */
const LONGEST_CHAIN = 5;

/** Where a ref points; the loose file wins over packed-refs, as in Git. Throws REPOSITORY_DAMAGED for an empty or broken one. */
export function readRef(directory: string, name: string): ObjectId | undefined {
  return follow(directory, name, LONGEST_CHAIN);
}

function follow(directory: string, name: string, left: number): ObjectId | undefined {
  const text = readText(join(directory, name));
  if (text === undefined) return readPackedRefs(directory).get(name);
  const value = text.trimEnd();
  if (isObjectId(value)) return value;
  const next = /^ref: *(.*)$/.exec(value)?.[1];
  if (next !== undefined && left > 0 && isRefName(next)) return follow(directory, next, left - 1);
  throw damaged(directory, name, text === '' ? 'is empty' : 'holds no object id');
}

/** Every ref by full name, from the disk; one that names another ref stands for what that one names. */
export function listRefs(directory: string): Map<string, ObjectId> {
  const refs = readPackedRefs(directory);
  for (const name of looseRefs(directory, 'refs')) {
    const id = readRef(directory, name);
    if (id !== undefined) refs.set(name, id);
  }
  return refs;
}

/** Full names of the ref files in `refs` or a directory below it; what ends in `.lock` is none, as in Git. */
export function* looseRefs(directory: string, below: string): Generator<string> {
  for (const name of filesBelow(directory, below)) if (!name.endsWith('.lock')) yield name;
}

/** Every file below a directory of the repository, by its name in the repository. */
export function* filesBelow(directory: string, below: string): Generator<string> {
  for (const entry of readDirectory(join(directory, below))) {
    const name = `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(directory, name);
    else if (entry.isFile()) yield name;
  }
}

/** Git removes directories that it finds empty. */
function readDirectory(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined when it is not there, or no file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}
