import { rowProblem } from './check-index.ts';
import { contentProblem } from './check-object.ts';
import { damaged, hostile } from './errors.ts';
import { type ObjectId, type ObjectType, objectId } from './object-id.ts';
import type { StoredObject } from './object-store.ts';
import { indexOf, type Pack } from './open-pack.ts';

/** What may be asked of a repository that anybody may have made: small pieces, each what its name says, each as Git writes it. */

/** A directory of 200,000 files with names of usual length takes a quarter of this. */
const LARGEST_TREE = 64 * 1024 * 1024;
/** Above the largest object that an API server takes, many times. */
const LARGEST_OTHER = 8 * 1024 * 1024;
/** No object is inflated beyond this, nor are the deltas of one chain together. */
export const LARGEST_INFLATED = LARGEST_TREE;
/** As Git: the longest chain of deltas that it writes. A chain that comes back to itself has no end. */
export const LONGEST_CHAIN = 4095;
/** All versions between an object and the base of its chain. */
export const MOST_BUILT = 1024 * 1024 * 1024;

/** Throws REPOSITORY_HOSTILE or, for an object that is not what its name says, REPOSITORY_DAMAGED. */
export function judge(directory: string, id: ObjectId, { type, content }: StoredObject): void {
  if (type !== 'tree' && content.length > LARGEST_OTHER)
    throw hostile(directory, `${type} ${id} has ${content.length} bytes`);
  if (objectId(type, content) !== id) throw damaged(directory, `object ${id}`, 'is not what its name says');
  const problem = problemOf(type, content);
  if (problem !== undefined) throw hostile(directory, `object ${id} ${problem}`);
}

/** Throws REPOSITORY_HOSTILE for an index whose rows lead astray, whatever its checksum says. */
export function judgeIndex(pack: Pack): void {
  const problem = rowsOf(pack);
  if (problem !== undefined) throw hostile(pack.repository, `objects/pack/${pack.name}.idx ${problem}`);
}

/** An expression that meets millions of lines runs out of room. */
function problemOf(type: ObjectType, content: Buffer): string | undefined {
  try {
    return contentProblem(type, content);
  } catch (error) {
    if (error instanceof RangeError) return 'is too large to be looked at';
    throw error;
  }
}

function rowsOf(pack: Pack): string | undefined {
  try {
    return rowProblem(indexOf(pack), pack.packBytes);
  } catch (error) {
    if (error instanceof RangeError) return 'has rows that lead out of it';
    throw error;
  }
}
