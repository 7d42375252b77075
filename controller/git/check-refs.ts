import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KeeperError } from '../errors.ts';
import type { ObjectId } from './object-id.ts';
import { isRefName } from './ref-name.ts';
import { looseRefs, readRef, readText } from './refs.ts';

export interface CheckedRefs {
  /** By full name; one that names another stands for what that one names. */
  readonly refs: ReadonlyMap<string, ObjectId>;
  /** File, and what is wrong with it. Some of these may still lead somewhere. */
  readonly broken: ReadonlyMap<string, string>;
}

const PACKED = 'packed-refs';

/** Reads every ref to the byte, as Git demands it: nothing is passed over. What cannot be read is said instead of thrown. */
export function checkRefs(directory: string): CheckedRefs {
  const broken = new Map<string, string>();
  const refs = readPacked(directory, broken);
  if (!existsSync(join(directory, 'refs'))) return { refs, broken };
  for (const name of looseRefs(directory, 'refs')) {
    const problem = isRefName(name) ? contentProblem(directory, name) : 'has a name that Git refuses';
    if (problem !== undefined) broken.set(name, problem);
    refs.delete(name);
    const id = problem === undefined ? readLeniently(directory, name) : undefined;
    if (id === undefined && problem === undefined) broken.set(name, 'names a ref that is not there');
    if (id !== undefined) refs.set(name, id);
  }
  return { refs, broken };
}

function contentProblem(directory: string, name: string): string | undefined {
  const text = readText(join(directory, name));
  if (text === undefined || /^(?:[0-9a-f]{40}|ref: refs\/\S+)\n?$/.test(text)) return undefined;
  return text === '' ? 'is empty' : 'holds no object id';
}

/** Symbolic refs are followed; one that leads nowhere, or that a writer has removed meanwhile, is none. */
function readLeniently(directory: string, name: string): ObjectId | undefined {
  try {
    return readRef(directory, name);
  } catch (error) {
    if (error instanceof KeeperError) return undefined;
    throw error;
  }
}

/** One line per ref, one (`^ID`) behind a tag that says where it leads, and comments. */
function readPacked(directory: string, broken: Map<string, string>): Map<string, ObjectId> {
  const refs = new Map<string, ObjectId>();
  const text = readText(join(directory, PACKED)) ?? '';
  if (text !== '' && !text.endsWith('\n')) broken.set(PACKED, 'ends inside a line');
  for (const line of text.split('\n').slice(0, -1)) {
    const [, id, name] = /^([0-9a-f]{40}) (refs\/\S+)$/.exec(line) ?? [];
    if (id !== undefined && name !== undefined && isRefName(name)) refs.set(name, id);
    else if (!/^(?:#.*|\^[0-9a-f]{40})$/.test(line)) broken.set(PACKED, 'has a line that is no ref');
  }
  return refs;
}
