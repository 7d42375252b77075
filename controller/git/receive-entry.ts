import { createHash } from 'node:crypto';
import { crc32, inflateSync } from 'node:zlib';
import type { ByteQueue } from './byte-queue.ts';
import { contentProblem } from './check-object.ts';
import { inflateStream } from './inflate-stream.ts';
import { NONE } from './merge-table.ts';
import type { ObjectId, ObjectType } from './object-id.ts';
import { decodeEntryHeader, ENTRY, type EntryHeader, MAX_HEADER, objectTypeOf } from './pack-format.ts';
import type { PackWriter } from './pack-writer.ts';
import type { ReceivedEntries } from './received-entries.ts';

/** What Kubernetes stores is far below; more would only serve to fill the memory. */
export const LARGEST_OBJECT = 64 * 1024 * 1024;

/** Up to here an object is inflated in one piece. */
const AT_ONCE = 1024 * 1024;

/** Where a pack comes from, and what becomes of it. */
export interface Reception {
  readonly queue: ByteQueue;
  readonly writer: PackWriter;
  readonly entries: ReceivedEntries;
  /** The bases of deltas that name theirs by id, by row. */
  readonly baseIds: Map<number, ObjectId>;
}

/** Takes the next entry: whole objects are named and checked, deltas wait. Throws a RangeError or zlib's for what is no entry. */
export async function receiveEntry(reception: Reception): Promise<void> {
  const { queue, writer, entries, baseIds } = reception;
  const header = decodeEntryHeader(await queue.fill(MAX_HEADER), 0);
  const offset = writer.offset;
  if (header.size > LARGEST_OBJECT) throw new RangeError(`An object has ${header.size} bytes`);
  const base = header.type === ENTRY.offsetDelta ? baseRow(entries, offset, header.distance) : NONE;
  const { crc, id } = header.size <= AT_ONCE ? await takeSmall(reception, header) : await takeLarge(reception, header);
  const row = entries.add({ offset, crc, type: header.type, size: header.size, header: header.length, base });
  if (id !== undefined) entries.setId(row, id);
  if (header.baseId !== undefined) baseIds.set(row, header.baseId);
}

function baseRow(entries: ReceivedEntries, offset: number, distance: number): number {
  const base = distance > 0 ? entries.rowAt(offset - distance) : NONE;
  if (base === NONE) throw new RangeError('A delta names a base where no entry begins');
  return base;
}

interface Taken {
  readonly crc: number;
  /** Of a whole object. */
  readonly id: Buffer | undefined;
}

async function takeSmall({ queue, writer }: Reception, header: EntryHeader): Promise<Taken> {
  const type = typeOf(header);
  const most = header.length + mostStored(header.size);
  const bytes = (await queue.fill(most)).subarray(0, most);
  const size = Math.max(1, header.size);
  const options = { info: true, maxOutputLength: size, chunkSize: Math.max(64, size + 1) } as const;
  const { buffer, engine } = inflateSync(bytes.subarray(header.length), options) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  if (buffer.length !== header.size) throw new RangeError('An entry has another size than its header says');
  const stored = bytes.subarray(0, header.length + engine.bytesWritten);
  writer.add(stored);
  queue.drop(stored.length);
  return { crc: crc32(stored), id: type === undefined ? undefined : nameObject(type, [buffer], buffer.length) };
}

/** Blobs pass through; what has a structure must be looked at whole. */
async function takeLarge({ queue, writer }: Reception, header: EntryHeader): Promise<Taken> {
  const type = typeOf(header);
  const start = (await queue.fill(header.length)).subarray(0, header.length);
  let crc = crc32(start);
  writer.add(start);
  queue.drop(start.length);
  const hash = createHash('sha1').update(`${type} ${header.size}\0`);
  const kept: Buffer[] = [];
  let left = mostStored(header.size);
  await inflateStream(queue, header.size, {
    stored: async (bytes) => {
      left -= bytes.length;
      if (left < 0) throw new RangeError('An entry takes far more bytes than its object has');
      crc = crc32(bytes, crc);
      writer.add(bytes);
      if (writer.isFull) await writer.flush();
    },
    content: (bytes) => {
      if (type === 'blob') hash.update(bytes);
      else if (type !== undefined) kept.push(bytes);
    },
  });
  if (type === undefined) return { crc, id: undefined };
  return { crc, id: type === 'blob' ? hash.digest() : nameObject(type, kept, header.size) };
}

/** As far as `readEntry` looks when it reads an object again; what does not compress takes a little more than it is. */
function mostStored(size: number): number {
  return size + (size >> 8) + 64;
}

/** Undefined for a delta. */
function typeOf({ type }: EntryHeader): ObjectType | undefined {
  const known = objectTypeOf(type);
  if (known !== undefined || type === ENTRY.offsetDelta || type === ENTRY.referenceDelta) return known;
  throw new RangeError(`An entry is of the type ${type}`);
}

/** The id of an object, as bytes. Throws a RangeError for one that Git itself would complain of. */
export function nameObject(type: ObjectType, parts: readonly Buffer[], length: number): Buffer {
  const hash = createHash('sha1').update(`${type} ${length}\0`);
  for (const part of parts) hash.update(part);
  const id = hash.digest();
  const problem = type === 'blob' ? undefined : contentProblem(type, joined(parts));
  if (problem !== undefined) throw new RangeError(`Object ${id.toString('hex')} ${problem}`);
  return id;
}

function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}
