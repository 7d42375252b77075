import { FILE, TreeCursor } from './tree-cursor.ts';

/** What Git itself refuses in the bytes of a tree (`git fsck --strict`). */

const MODES = new Set([FILE, '40000', '100755', '120000', '160000']);
/** What would be taken for the `.git` of a checkout: on file systems that ignore case, trailing dots and blanks, or use 8.3 names. */
const DOT_GIT = /^(?:\.git[ .]*|git~1)$/i;
const [SLASH, DOT] = [0x2f, 0x2e];

/** Goes on behind the object's name as a sentence; undefined when Git has nothing to say. */
export function treeProblem(raw: Buffer): string | undefined {
  const entry = new TreeCursor(raw);
  const before = { start: 0, end: 0, isDirectory: false };
  let [files, directories] = [0, 0];
  try {
    while (entry.next()) {
      if (!MODES.has(entry.mode)) return `is a tree with the mode ${JSON.stringify(entry.mode)}`;
      const problem = nameProblem(raw, entry);
      if (problem !== undefined) return `is a tree that ${problem}`;
      if (files + directories > 0 && compareEntries(raw, before, entry) >= 0) return 'is a tree out of order';
      ({ start: before.start, end: before.end, isDirectory: before.isDirectory } = entry);
      if (entry.isDirectory) directories += 1;
      else files += 1;
    }
  } catch (error) {
    if (error instanceof RangeError) return 'is a tree that ends inside an entry';
    throw error;
  }
  return files > 0 && directories > 0 && hasTwins(raw) ? 'is a tree that names an entry twice' : undefined;
}

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly isDirectory: boolean;
}

function nameProblem(raw: Buffer, { start, end }: Entry): string | undefined {
  if (start === end) return 'has an entry without a name';
  for (let at = start; at < end; at++) if (raw[at] === SLASH) return 'has a path for a name';
  const first = raw[start] as number;
  if (first !== DOT && first !== 0x67 && first !== 0x47) return undefined;
  const name = raw.toString('latin1', start, end);
  return name === '.' || name === '..' || DOT_GIT.test(name) ? `has an entry "${name}"` : undefined;
}

/** Git's order: bytes of the name, a directory's name as if it ended in a slash. */
function compareEntries(raw: Buffer, left: Entry, right: Entry): number {
  const shared = Math.min(left.end - left.start, right.end - right.start);
  // A loop: names are short, and a call would cost more than all of one.
  for (let i = 0; i < shared; i++) {
    const order = (raw[left.start + i] as number) - (raw[right.start + i] as number);
    if (order !== 0) return order;
  }
  return byteAfter(raw, left, shared) - byteAfter(raw, right, shared);
}

function byteAfter(raw: Buffer, entry: Entry, length: number): number {
  if (entry.end - entry.start > length) return raw[entry.start + length] as number;
  return entry.isDirectory ? SLASH : 0;
}

/** A file and a directory of one name do not stand side by side, so their order does not show them. */
function hasTwins(raw: Buffer): boolean {
  const names = new Set<string>();
  for (const entry = new TreeCursor(raw); entry.next(); ) {
    if (names.has(entry.name)) return true;
    names.add(entry.name);
  }
  return false;
}
