import { apply, type DirectoryNode, Disk, type FileNode, makeDirectory, type Node } from './disk.ts';

/**
 * What a disk may hold after the power went: of each file what was synced, or some of what was not; of each directory's names
 * those that were synced, and any of the later changes, in order or not.
 */

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The disk as the next start may find it; the one that is cut goes on unchanged. */
export function cutPower(disk: Disk, random: Random): Disk {
  // One file under two names must stay one file.
  const copies = new Map<Node, Node>();
  const copy = (node: Node): Node => {
    const known = copies.get(node);
    if (known !== undefined) return known;
    if (node.kind === 'file') {
      const file = survivingFile(node, random);
      copies.set(node, file);
      return file;
    }
    const directory = makeDirectory();
    directory.modified = node.modified;
    copies.set(node, directory);
    for (const [name, child] of survivingNames(node, random)) {
      const survivor = copy(child);
      directory.names.set(name, survivor);
      directory.synced.set(name, survivor);
    }
    return directory;
  };
  return new Disk({}, copy(disk.root) as DirectoryNode);
}

function survivingFile(node: FileNode, random: Random): FileNode {
  const content = survivingContent(node, random);
  return { ...node, content, synced: content, links: 1 };
}

/** Unsynced data may be there, be missing, be cut short, or be zeros where the size was written first. */
function survivingContent({ content, synced }: FileNode, random: Random): Buffer {
  if (synced === content) return content;
  const fate = random();
  if (fate < 0.3) return synced ?? Buffer.alloc(0);
  if (fate < 0.5) return content;
  if (fate < 0.75) return content.subarray(0, Math.floor(random() * content.length));
  const torn = Buffer.from(content);
  torn.fill(0, Math.floor(random() * content.length));
  return torn;
}

/** Half of the file systems keep the order of changes; POSIX does not ask for it. */
function survivingNames(node: DirectoryNode, random: Random): ReadonlyMap<string, Node> {
  const names = new Map(node.synced);
  const isOrdered = random() < 0.5;
  const kept = Math.floor(random() * (node.unsynced.length + 1));
  node.unsynced.forEach((changes, index) => {
    if (isOrdered ? index < kept : random() < 0.5) apply(names, changes);
  });
  return names;
}
