import { invalidPath } from './errors.ts';

/** Names that Git refuses to check out, whatever the case; the 8.3 name is how Windows may spell the first. */
const REFUSED = /^(?:\.{0,2}|\.git(?:modules)?[ .]*|git~1)$/i;

/** Throws for a path that would make a tree which Git calls broken. */
export function requireValidPath(path: string): void {
  if (path.includes('\0')) throw invalidPath(path, 'it holds a NUL');
  for (const part of path.split('/')) {
    if (REFUSED.test(part)) throw invalidPath(path, `"${part}" is no name for a file or directory in Git`);
  }
}
