import { treeEntries } from './tree-diff.ts';

/** `100644 `, `40000 ` and so on, as they stand before a name. */
const MODE = /(?:100644|40000|100755|120000|160000) $/;

/**
 * The id of an entry in the bytes of a tree. One search of memory instead of a walk over ten thousand entries; only
 * where the bytes found could also be the inside of another name with a blank, the walk decides.
 */
export function findTreeEntry(raw: Buffer, name: string): string | undefined {
  const pattern = Buffer.from(` ${name}\0`);
  const found = raw.indexOf(pattern);
  if (found < 0) return undefined;
  if (isBoundary(raw, found)) {
    const id = found + pattern.length;
    return raw.toString('hex', id, id + 20);
  }
  for (const entry of treeEntries(raw)) if (entry.name === name) return entry.id;
  return undefined;
}

/** Whether an entry surely begins right before the mode in front of `blank`: a NUL and twenty bytes that hold no mode of their own. */
function isBoundary(raw: Buffer, blank: number): boolean {
  const mode = MODE.exec(raw.toString('latin1', Math.max(0, blank - 6), blank + 1));
  if (mode === null) return false;
  const start = blank + 1 - mode[0].length;
  if (start === 0) return true;
  const before = raw.toString('latin1', Math.max(0, start - 27), start);
  return raw[start - 21] === 0 && !before.slice(-20).includes(' ') && start > 27;
}
