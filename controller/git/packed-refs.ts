import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { damaged, errnoOf } from './errors.ts';
import { FencedFile, type Guard } from './fenced-file.ts';
import { isObjectId, type ObjectId } from './object-id.ts';

/** Where `git pack-refs` puts refs: one file of lines, older than any loose ref of the same name. */
const FILE = 'packed-refs';

/** Throws REPOSITORY_DAMAGED for a line that Git did not write: a ref that was lost there would not be missed. */
export function readPackedRefs(directory: string): Map<string, ObjectId> {
  const refs = new Map<string, ObjectId>();
  for (const line of readText(directory).split('\n')) {
    const [, id, name] = /^([0-9a-f]{40}) (refs\/.+)$/.exec(line) ?? [];
    if (id !== undefined && name !== undefined) refs.set(name, id);
    else if (line !== '' && !/^(?:#.*|\^[0-9a-f]{40})$/.test(line)) {
      throw damaged(directory, FILE, 'has a line that is no ref');
    }
  }
  return refs;
}

/** Takes one ref out, durably; every other line stays as Git wrote it. */
export async function removePackedRef(directory: string, name: string, guard: Guard | undefined): Promise<void> {
  if (!readPackedRefs(directory).has(name)) return;
  await using file = await FencedFile.lock(directory, FILE, guard);
  await file.write(withoutRef(readText(directory), name));
  await file.publish();
  await file.makeDurable();
}

/** The line behind a tag says where it leads (`^ID`) and goes with it. */
function withoutRef(text: string, name: string): string {
  let isDropped = false;
  const kept = text.split('\n').filter((line) => {
    isDropped = line.startsWith('^') ? isDropped : line.slice(41) === name && isObjectId(line.slice(0, 40));
    return !isDropped;
  });
  return kept.join('\n');
}

function readText(directory: string): string {
  try {
    return readFileSync(join(directory, FILE), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
