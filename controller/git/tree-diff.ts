import { commonPrefix, commonSuffix } from './common-bytes.ts';

/** An entry of a directory that differs between two versions; undefined on the side where it is missing. */
export interface EntryChange {
  readonly name: string;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

export interface TreeEntry {
  readonly name: string;
  readonly directory: boolean;
  /** As 40 digits. */
  readonly id: string;
}

interface Parsed extends TreeEntry {
  readonly start: number;
  readonly end: number;
  /** The name in Git's order. */
  readonly key: Buffer;
}

/** The entries that differ, in Git's order. Equal beginnings and ends of large directories cost next to nothing. */
export function diffTreeContents(before: Buffer, after: Buffer): EntryChange[] {
  const shared = commonPrefix(before, after);
  const start = lastBoundary(before, shared);
  const tail = Math.min(commonSuffix(before, after), before.length - start, after.length - start);
  const changes: EntryChange[] = [];
  let a = entryAt(before, start);
  let b = entryAt(after, start);
  while (a !== undefined || b !== undefined) {
    if (
      a !== undefined &&
      b !== undefined &&
      before.length - a.start === after.length - b.start &&
      before.length - a.start <= tail
    )
      break;
    const order = a === undefined ? 1 : b === undefined ? -1 : a.key.compare(b.key);
    if (order !== 0 || a?.id !== b?.id) {
      const old = order <= 0 ? a : undefined;
      const new_ = order >= 0 ? b : undefined;
      changes.push({ name: (old ?? (new_ as Parsed)).name, before: old, after: new_ });
    }
    if (order <= 0 && a !== undefined) a = entryAt(before, a.end);
    if (order >= 0 && b !== undefined) b = entryAt(after, b.end);
  }
  return changes;
}

/** Every entry of a directory. */
export function* treeEntries(raw: Buffer): Generator<TreeEntry> {
  for (let entry = entryAt(raw, 0); entry !== undefined; entry = entryAt(raw, entry.end)) yield entry;
}

/** The beginning of the last entry that begins at or before a position. */
function lastBoundary(raw: Buffer, position: number): number {
  let start = 0;
  for (let at = 0; at <= position && at < raw.length; ) {
    start = at;
    while (raw[at] !== 0) at += 1;
    at += 21;
  }
  return start;
}

function entryAt(raw: Buffer, start: number): Parsed | undefined {
  if (start >= raw.length) return undefined;
  const space = raw.indexOf(0x20, start);
  const nul = raw.indexOf(0, space);
  const directory = raw[start] === 0x34;
  const name = raw.toString('utf8', space + 1, nul);
  const key = directory ? Buffer.concat([raw.subarray(space + 1, nul), SLASH]) : raw.subarray(space + 1, nul);
  return { name, directory, id: raw.toString('hex', nul + 1, nul + 21), start, end: nul + 21, key };
}

const SLASH = Buffer.from('/');
