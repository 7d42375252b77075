import * as real from 'node:fs/promises';
import { type Disk, type FileNode, failure, type Node, partsOf } from './disk.ts';
import { closeSync, openDescriptor, readdirSync, readFileSync, statsOf } from './fs.ts';
import { diskOf } from './mounts.ts';

/** What the repositories use of `node:fs/promises`, on the disks in memory; paths elsewhere go to the machine. */

/** Others get their turn between two operations, as they would. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export type FileHandle = MemoryHandle;

class MemoryHandle {
  readonly fd: number;
  readonly #disk: Disk;
  readonly #node: Node;
  readonly #path: string;
  #position: number;
  #isOpen = true;

  constructor(disk: Disk, node: Node, path: string, position: number) {
    this.#disk = disk;
    this.#node = node;
    this.#path = path;
    this.#position = position;
    this.fd = openDescriptor(node);
  }

  async write(
    data: Uint8Array | string,
    offset = 0,
    length?: number,
    position: number | null = null,
  ): Promise<{ bytesWritten: number }> {
    const bytes = (typeof data === 'string' ? Buffer.from(data) : data).subarray(offset).subarray(0, length);
    await this.#append(bytes, position);
    return { bytesWritten: bytes.length };
  }

  /** Writes in halves: a write may be cut short, and the caller must go on. */
  async writev(parts: readonly Uint8Array[]): Promise<{ bytesWritten: number }> {
    const all = Buffer.concat(parts);
    const bytes = all.length > 64 ? all.subarray(0, all.length >> 1) : all;
    await this.#append(bytes, null);
    return { bytesWritten: bytes.length };
  }

  async writeFile(data: Uint8Array | string): Promise<void> {
    await this.write(data);
  }

  async appendFile(data: Uint8Array | string): Promise<void> {
    await this.write(data);
  }

  async #append(bytes: Uint8Array, position: number | null): Promise<void> {
    await turn();
    this.#disk.write(this.#file('write'), this.#path, bytes, position ?? this.#position);
    if (position === null) this.#position += bytes.length;
  }

  async read(target: Buffer, offset: number, length: number, position: number | null): Promise<{ bytesRead: number }> {
    await turn();
    const at = position ?? this.#position;
    const bytesRead = this.#file('read').content.copy(target, offset, at, at + length);
    if (position === null) this.#position += bytesRead;
    return { bytesRead };
  }

  async readFile(encoding?: BufferEncoding): Promise<string | Buffer> {
    await turn();
    const { content } = this.#file('read');
    return encoding === undefined ? Buffer.from(content) : content.toString(encoding);
  }

  async sync(): Promise<void> {
    await turn();
    this.#disk.sync(this.#live('fsync'), this.#path);
  }

  async datasync(): Promise<void> {
    await this.sync();
  }

  async truncate(length = 0): Promise<void> {
    await turn();
    this.#disk.truncate(this.#file('ftruncate'), this.#path, length);
  }

  async utimes(_accessed: unknown, modified: Date): Promise<void> {
    await turn();
    this.#live('futime').modified = modified.getTime();
  }

  async stat() {
    await turn();
    return statsOf(this.#live('fstat'));
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    closeSync(this.fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #live(syscall: string): Node {
    if (this.#isOpen) return this.#node;
    throw failure('EBADF', syscall, this.#path);
  }

  #file(syscall: string): FileNode {
    const node = this.#live(syscall);
    if (node.kind === 'file') return node;
    throw failure('EISDIR', syscall, this.#path);
  }
}

export async function open(path: string, flags = 'r', mode = 0o666): Promise<unknown> {
  const place = diskOf(path);
  if (place === undefined) return real.open(path, flags, mode);
  await turn();
  const { disk, inner } = place;
  const existing = disk.find(inner);
  if (flags === 'r') return new MemoryHandle(disk, disk.get(inner, 'open'), inner, 0);
  if (flags.includes('x') && existing !== undefined) throw failure('EEXIST', 'open', path);
  if (flags.startsWith('r')) return new MemoryHandle(disk, disk.file(inner, 'open'), inner, 0);
  const node = existing === undefined ? disk.create(inner, mode) : disk.file(inner, 'open');
  if (flags.startsWith('w') && existing !== undefined) disk.truncate(node, inner, 0);
  return new MemoryHandle(disk, node, inner, flags.startsWith('a') ? node.content.length : 0);
}

export async function rename(from: string, to: string): Promise<void> {
  const place = diskOf(from);
  if (place === undefined) return real.rename(from, to);
  await turn();
  place.disk.rename(place.inner, (diskOf(to) as { inner: string }).inner);
}

export async function link(from: string, to: string): Promise<void> {
  const place = diskOf(from);
  if (place === undefined) return real.link(from, to);
  await turn();
  place.disk.link(place.inner, (diskOf(to) as { inner: string }).inner);
}

export async function unlink(path: string): Promise<void> {
  const place = diskOf(path);
  if (place === undefined) return real.unlink(path);
  await turn();
  place.disk.unlink(place.inner);
}

export async function rmdir(path: string): Promise<void> {
  const place = diskOf(path);
  if (place === undefined) return real.rmdir(path);
  await turn();
  place.disk.rmdir(place.inner);
}

export async function mkdir(
  path: string,
  options: { recursive?: boolean; mode?: number } = {},
): Promise<string | undefined> {
  const place = diskOf(path);
  if (place === undefined) return real.mkdir(path, options);
  await turn();
  const { disk, inner } = place;
  if (options.recursive !== true) {
    disk.mkdir(inner);
    return undefined;
  }
  let [at, first] = ['', undefined as string | undefined];
  for (const part of partsOf(inner)) {
    at += `/${part}`;
    if (disk.find(at) !== undefined) continue;
    disk.mkdir(at);
    first ??= at;
  }
  return first;
}

export async function rm(path: string, options: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
  const place = diskOf(path);
  if (place === undefined) return real.rm(path, options);
  await turn();
  const node = place.disk.find(place.inner);
  if (node === undefined) {
    if (options.force === true) return;
    throw failure('ENOENT', 'rm', path);
  }
  if (node.kind === 'directory') {
    for (const name of [...node.names.keys()]) await rm(`${path}/${name}`, options);
    place.disk.rmdir(place.inner);
  } else place.disk.unlink(place.inner);
}

export async function readdir(path: string, options: object = {}): Promise<unknown> {
  if (diskOf(path) === undefined) return real.readdir(path, options);
  await turn();
  return readdirSync(path, options);
}

export async function readFile(path: string, encoding?: BufferEncoding | { encoding?: BufferEncoding }) {
  if (diskOf(path) === undefined) return real.readFile(path, encoding as BufferEncoding);
  await turn();
  return readFileSync(path, encoding);
}

export async function writeFile(
  path: string,
  data: Uint8Array | string,
  options: { mode?: number; flag?: string } = {},
): Promise<void> {
  if (diskOf(path) === undefined) return real.writeFile(path, data, options);
  const handle = (await open(path, options.flag ?? 'w', options.mode)) as MemoryHandle;
  await handle.writeFile(data);
  await handle.close();
}

export async function stat(path: string, options: { bigint?: boolean } = {}) {
  const place = diskOf(path);
  if (place === undefined) return real.stat(path, options);
  await turn();
  return statsOf(place.disk.get(place.inner, 'stat'), options);
}

export const lstat = stat;

export async function access(path: string): Promise<void> {
  await stat(path);
}

export async function utimes(path: string, accessed: Date | number, modified: Date | number): Promise<void> {
  const place = diskOf(path);
  if (place === undefined) return real.utimes(path, accessed, modified);
  await turn();
  place.disk.utimes(place.inner, Number(modified));
}
