import { closeSync, openSync, readSync } from 'node:fs';

/** Hundreds of repositories share this many open packs. */
const LIMIT = 48;

const open = new Map<string, number>();
/** The last of them: whole histories are read from one pack. */
let latest: string | undefined;

/** Reads up to `length` bytes at `position`; fewer come back only at the end of the file. Throws the errno of the system. */
export function readAt(path: string, position: number, length: number, target = Buffer.allocUnsafe(length)): Buffer {
  const descriptor = descriptorOf(path);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, target, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return target.subarray(0, filled);
}

/** Must be called for every file that is removed or replaced, so that its space is given back. */
export function forgetFile(path: string): void {
  const descriptor = open.get(path);
  if (descriptor === undefined) return;
  open.delete(path);
  closeSync(descriptor);
}

function descriptorOf(path: string): number {
  const known = open.get(path);
  if (known !== undefined) {
    if (path === latest) return known;
    latest = path;
    open.delete(path);
    open.set(path, known);
    return known;
  }
  const descriptor = openSync(path, 'r');
  open.set(path, descriptor);
  latest = path;
  if (open.size > LIMIT) {
    const [oldest] = open.keys();
    if (oldest !== undefined) forgetFile(oldest);
  }
  return descriptor;
}
