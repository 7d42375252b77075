import { inflateSync } from 'node:zlib';
import { KeeperError } from '../errors.ts';
import { ByteCache } from './byte-cache.ts';
import { readIndex } from './check-index.ts';
import { damaged, hostile } from './errors.ts';
import { forgetFile, readAt } from './open-files.ts';
import { decodeEntryHeader, type EntryHeader, MAX_HEADER } from './pack-format.ts';
import type { PackIndex } from './pack-index.ts';

/** All repositories of the process share this much memory for indexes. */
const indexes = new ByteCache<PackIndex>(16 * 1024 * 1024);

const FIRST_READ = 4096;
/** What zlib can make of one byte; a size beyond that would only fill the memory. */
export const MOST_INFLATED = 1040;

/** A pack on the disk. Its index and its file are opened when first asked for, and may be closed again at any time. */
export interface Pack {
  /** `pack-SHA`, without suffix. */
  readonly name: string;
  /** The repository, for errors. */
  readonly repository: string;
  /** Path without suffix. */
  readonly path: string;
  /** The pack itself. */
  readonly file: string;
  /** What caches know it by: short, since it is a part of every key. */
  readonly key: string;
  /** Bytes of pack and index. */
  readonly bytes: number;
  readonly packBytes: number;
  /** Milliseconds since the epoch; orders packs by age. */
  readonly modified: number;
  /** Not to be merged or removed: its `.keep` file says so. */
  readonly isKept: boolean;
}

let opened = 0;

export function describePack(pack: Omit<Pack, 'file' | 'key'>): Pack {
  opened += 1;
  return { ...pack, file: `${pack.path}.pack`, key: opened.toString(36) };
}

export function indexOf(pack: Pack): PackIndex {
  const known = indexes.get(pack.path);
  if (known !== undefined) return known;
  try {
    const index = readIndex(readWhole(`${pack.path}.idx`, pack.bytes - pack.packBytes));
    indexes.set(pack.path, index, index.bytes.length);
    return index;
  } catch (error) {
    throw error instanceof RangeError
      ? damaged(pack.repository, `objects/pack/${pack.name}.idx`, 'is no whole index', error)
      : error;
  } finally {
    forgetFile(`${pack.path}.idx`);
  }
}

/** In bytes of its own: thousands are kept, each for long. */
function readWhole(path: string, length: number): Buffer {
  return readAt(path, 0, length, Buffer.allocUnsafeSlow(length));
}

/** Must be called before a pack is removed. */
export function forgetPack(pack: Pack): void {
  indexes.delete(pack.path);
  forgetFile(pack.file);
}

/** Notices a pack that was cut short or replaced, by the checksum that the index holds of it. */
export function verifyTrailer(pack: Pack): void {
  const file = `objects/pack/${pack.name}.pack`;
  const recordedAt = pack.bytes - pack.packBytes - 40;
  if (recordedAt < 0) throw damaged(pack.repository, `objects/pack/${pack.name}.idx`, 'is no whole index');
  const recorded = readAt(`${pack.path}.idx`, recordedAt, 20);
  forgetFile(`${pack.path}.idx`);
  const head = readAt(pack.file, 0, 4).toString('latin1');
  const actual = readAt(pack.file, Math.max(0, pack.packBytes - 20), 20);
  if (head !== 'PACK' || !actual.equals(recorded)) throw damaged(pack.repository, file, 'is cut short or was changed');
}

export interface PackedEntry extends EntryHeader {
  /** The inflated content; for a delta the delta itself. */
  readonly content: Buffer;
}

/** Deflated bytes are looked at once: large ones would only make work for the garbage collector. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024);
const LARGEST_SCRATCH = 4 * 1024 * 1024;

/** Valid until the next call. */
function readScratch(pack: Pack, offset: number, length: number): Buffer {
  if (length > LARGEST_SCRATCH) return readAt(pack.file, offset, length);
  if (length > scratch.length) scratch = Buffer.allocUnsafeSlow(Math.min(length * 2, LARGEST_SCRATCH));
  return readAt(pack.file, offset, length, scratch);
}

/** Throws REPOSITORY_HOSTILE for an entry of more than `largest` bytes, before any of it is inflated. */
export function readEntry(pack: Pack, offset: number, largest = Number.POSITIVE_INFINITY): PackedEntry {
  try {
    let bytes = readScratch(pack, offset, FIRST_READ);
    const header = decodeEntryHeader(bytes, 0);
    if (header.size > (pack.packBytes - offset) * MOST_INFLATED)
      throw new RangeError('An entry is larger than it can be');
    if (header.size > largest) throw hostile(pack.repository, `it holds an object of ${header.size} bytes`);
    const most = Math.min(header.length + header.size + Math.floor(header.size / 256) + 64, pack.packBytes - offset);
    if (most > bytes.length && bytes.length === FIRST_READ) bytes = readScratch(pack, offset, most);
    const content = inflateSync(bytes.subarray(header.length), {
      chunkSize: Math.max(64, header.size + 1),
      maxOutputLength: header.size + 1,
    });
    if (content.length !== header.size) throw new RangeError('An entry has another size than its header says');
    return { ...header, content };
  } catch (error) {
    if (isFileError(error) || error instanceof KeeperError) throw error;
    throw damaged(pack.repository, `objects/pack/${pack.name}.pack`, `cannot be read at byte ${offset}`, error);
  }
}

export function readHeader(pack: Pack, offset: number): EntryHeader {
  try {
    return decodeEntryHeader(readAt(pack.file, offset, MAX_HEADER), 0);
  } catch (error) {
    if (isFileError(error)) throw error;
    throw damaged(pack.repository, `objects/pack/${pack.name}.pack`, `cannot be read at byte ${offset}`, error);
  }
}

/** Of the file system, in contrast to zlib's and our own. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
