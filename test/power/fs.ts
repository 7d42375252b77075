import * as real from 'node:fs';
import { type DirectoryNode, type FileNode, failure, type Node } from './disk.ts';
import { diskOf } from './mounts.ts';

/** What the repositories use of `node:fs`, on the disks in memory; paths elsewhere go to the machine. */

type Numbered = { readonly node: Node };
const descriptors = new Map<number, Numbered>();
const FIRST_DESCRIPTOR = 1_000_000;
let lastDescriptor = FIRST_DESCRIPTOR;

export function existsSync(path: string): boolean {
  const place = diskOf(path);
  return place === undefined ? real.existsSync(path) : place.disk.find(place.inner) !== undefined;
}

export function readFileSync(path: string, encoding?: BufferEncoding | { encoding?: BufferEncoding }): string | Buffer {
  const place = diskOf(path);
  if (place === undefined) return real.readFileSync(path, encoding as BufferEncoding);
  const { content } = place.disk.file(place.inner, 'open');
  const name = typeof encoding === 'string' ? encoding : encoding?.encoding;
  return name === undefined ? Buffer.from(content) : content.toString(name);
}

export function readdirSync(
  path: string,
  options: { recursive?: boolean; withFileTypes?: boolean } = {},
): string[] | Entry[] {
  const place = diskOf(path);
  if (place === undefined) return real.readdirSync(path, options as { withFileTypes: true }) as unknown as Entry[];
  const entries = [...walk(path, place.disk.directory(place.inner, 'scandir'), options.recursive ?? false)];
  if (options.withFileTypes === true) return entries;
  return entries.map((entry) => `${entry.parentPath}/${entry.name}`.slice(path.length + 1));
}

export class Entry {
  readonly name: string;
  readonly parentPath: string;
  readonly #node: Node;

  constructor(parentPath: string, name: string, node: Node) {
    this.parentPath = parentPath;
    this.name = name;
    this.#node = node;
  }

  isFile(): boolean {
    return this.#node.kind === 'file';
  }

  isDirectory(): boolean {
    return this.#node.kind === 'directory';
  }

  isSymbolicLink(): boolean {
    return false;
  }
}

function* walk(path: string, directory: DirectoryNode, isRecursive: boolean): Generator<Entry> {
  for (const [name, node] of directory.names) {
    yield new Entry(path, name, node);
    if (isRecursive && node.kind === 'directory') yield* walk(`${path}/${name}`, node, true);
  }
}

export function statSync(path: string, options: { throwIfNoEntry?: boolean } = {}): real.Stats | undefined {
  const place = diskOf(path);
  if (place === undefined) return real.statSync(path, options as { throwIfNoEntry: false });
  const node = place.disk.find(place.inner);
  if (node !== undefined) return statsOf(node);
  if (options.throwIfNoEntry === false) return undefined;
  throw failure('ENOENT', 'stat', path);
}

/** Only the number of the inode is asked for as a bigint. */
export function statsOf(node: Node, options: { bigint?: boolean } = {}): real.Stats {
  const size = node.kind === 'file' ? node.content.length : 4096;
  return {
    size,
    ino: options.bigint === true ? BigInt(node.number) : node.number,
    mtimeMs: node.modified,
    mtime: new Date(node.modified),
    mode: node.kind === 'file' ? node.mode : 0o755,
    isFile: () => node.kind === 'file',
    isDirectory: () => node.kind === 'directory',
    isSymbolicLink: () => false,
  } as unknown as real.Stats;
}

export function openSync(path: string, flags: string): number {
  const place = diskOf(path);
  if (place === undefined) return real.openSync(path, flags);
  if (flags !== 'r') throw new Error(`openSync only reads here, not "${flags}"`);
  return openDescriptor(place.disk.get(place.inner, 'open'));
}

export function openDescriptor(node: Node): number {
  descriptors.set(++lastDescriptor, { node });
  return lastDescriptor;
}

export function readSync(
  descriptor: number,
  target: Buffer,
  offset: number,
  length: number,
  position: number | null,
): number {
  if (descriptor <= FIRST_DESCRIPTOR) return real.readSync(descriptor, target, offset, length, position);
  const { node } = descriptors.get(descriptor) as Numbered;
  return (node as FileNode).content.copy(target, offset, position ?? 0, (position ?? 0) + length);
}

export function fstatSync(descriptor: number, options: { bigint?: boolean } = {}): real.Stats {
  if (descriptor <= FIRST_DESCRIPTOR) return real.fstatSync(descriptor, options) as real.Stats;
  return statsOf((descriptors.get(descriptor) as Numbered).node, options);
}

export function closeSync(descriptor: number): void {
  if (descriptor <= FIRST_DESCRIPTOR) real.closeSync(descriptor);
  else descriptors.delete(descriptor);
}

export const constants = real.constants;
