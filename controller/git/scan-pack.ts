import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { KeeperError } from '../errors.ts';
import { Breath } from './breathe.ts';
import { readIndex, rowProblem } from './check-index.ts';
import { contentProblem } from './check-object.ts';
import { errnoOf } from './errors.ts';
import type { FindingList } from './findings.ts';
import { ForwardReader } from './forward-reader.ts';
import type { KnownObjects } from './known-objects.ts';
import { objectId } from './object-id.ts';
import type { ObjectCache, ObjectStore, StoredObject } from './object-store.ts';
import { readAt } from './open-files.ts';
import type { Pack } from './open-pack.ts';
import { type Entry, indexedEntries, walkEntries } from './pack-entries.ts';
import type { PackIndex } from './pack-index.ts';

/** Reads a whole pack, entry by entry, and takes into `known` what is sound: it inflates and is what its id says. */

export interface PackScan {
  readonly store: ObjectStore;
  readonly known: KnownObjects;
  readonly cache: ObjectCache;
  readonly findings: FindingList;
  readonly signal: AbortSignal | undefined;
  /** To be called for every object. */
  readonly onObject: () => void;
}

const CHUNK = 1024 * 1024;

export interface OpenPack {
  readonly pack: Pack;
  /** What `known` calls it. */
  readonly number: number;
  /** Without one, the pack is read from its beginning on. */
  readonly index: PackIndex | undefined;
}

/** Throws ENOENT when a writer merged and removed the pack meanwhile. */
export async function scanPack(scan: PackScan, { pack, number, index }: OpenPack): Promise<void> {
  await checkWhole(scan, pack, index);
  const breath = new Breath();
  const reader = new ForwardReader(pack);
  for (const entry of index === undefined ? walkEntries(pack) : indexedEntries(pack, index)) {
    await breath.take();
    scan.signal?.throwIfAborted();
    scan.onObject();
    const isWhole = ifReadable(() => isUnchanged(reader, entry)) ?? false;
    if (!isWhole) scan.findings.damage(nameOf(pack, entry), 'was changed on the disk');
    const object = ifReadable(() => scan.store.readPacked(pack, entry.offset, scan.cache));
    if (object === undefined) scan.findings.damage(nameOf(pack, entry), 'cannot be read');
    else takeObject(scan, object, entry, { pack: number, offset: entry.offset, length: isWhole ? lengthOf(entry) : 0 });
  }
}

function isUnchanged(reader: ForwardReader, entry: Entry): boolean {
  return entry.crc === undefined || crc32(reader.read(entry.offset, lengthOf(entry))) === entry.crc;
}

function lengthOf(entry: Entry): number {
  return entry.end - entry.offset;
}

function takeObject(
  { findings, known }: PackScan,
  { type, content }: StoredObject,
  entry: Entry,
  place: { readonly pack: number; readonly offset: number; readonly length: number },
): void {
  const id = objectId(type, content);
  if (entry.id !== undefined && entry.id.toString('hex') !== id) {
    findings.damage(`object ${entry.id.toString('hex')}`, `has the content of ${id}`);
    return;
  }
  const problem = contentProblem(type, content);
  if (problem !== undefined) findings.warning(`object ${id}`, problem);
  known.put(Buffer.from(id, 'hex'), { type, ...place });
}

/** Undefined where the repository, or the disk below it, is damaged; what the file system refuses otherwise is thrown. */
function ifReadable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const isDamage = error instanceof KeeperError ? error.code === 'REPOSITORY_DAMAGED' : errnoOf(error) === 'EIO';
    if (isDamage) return undefined;
    throw error;
  }
}

function nameOf(pack: Pack, entry: Entry): string {
  return entry.id === undefined ? `${fileOf(pack)} at byte ${entry.offset}` : `object ${entry.id.toString('hex')}`;
}

function fileOf(pack: Pack, suffix = '.pack'): string {
  return `objects/pack/${pack.name}${suffix}`;
}

/** Undefined when there is none or it cannot be trusted. */
export function readPackIndex({ findings }: PackScan, pack: Pack): PackIndex | undefined {
  const file = fileOf(pack, '.idx');
  if (!existsSync(`${pack.path}.idx`)) return undefined;
  try {
    const index = readIndex(readFileSync(`${pack.path}.idx`));
    const problem = rowProblem(index, pack.packBytes);
    if (problem === undefined) return index;
    findings.damage(file, problem);
  } catch (error) {
    if (!(error instanceof RangeError) && errnoOf(error) !== 'EIO') throw error;
    findings.damage(file, 'is cut short or was changed');
  }
  return undefined;
}

/** The checksum over everything, which the last twenty bytes and the index both name. */
async function checkWhole(scan: PackScan, pack: Pack, index: PackIndex | undefined): Promise<void> {
  const breath = new Breath();
  const hash = createHash('sha1');
  const length = pack.packBytes - 20;
  let isWhole = length >= 12;
  for (let at = 0; at < length && isWhole; at += CHUNK) {
    const chunk = ifReadable(() => readAt(pack.file, at, Math.min(CHUNK, length - at)));
    isWhole = chunk !== undefined;
    if (chunk !== undefined) hash.update(chunk);
    await breath.take();
  }
  const named = ifReadable(() => readAt(pack.file, Math.max(0, length), 20));
  if (!isWhole || named === undefined || !hash.digest().equals(named) || !isOf(pack, index, named))
    scan.findings.damage(fileOf(pack), 'is cut short or was changed');
}

function isOf(pack: Pack, index: PackIndex | undefined, checksum: Buffer): boolean {
  const header = readAt(pack.file, 0, 12);
  if (header.toString('latin1', 0, 4) !== 'PACK' || header.readUInt32BE(4) !== 2) return false;
  if (index === undefined) return true;
  return header.readUInt32BE(8) === index.count && index.bytes.subarray(-40, -20).equals(checksum);
}
