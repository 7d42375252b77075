import { Breath } from './breathe.ts';
import { ByteQueue } from './byte-queue.ts';
import { errnoOf, fileFailure, invalidPack } from './errors.ts';
import type { Guard } from './fenced-file.ts';
import type { ObjectId } from './object-id.ts';
import { type ObjectStore, openPack } from './object-store.ts';
import type { Pack } from './open-pack.ts';
import { PackIndexBuilder } from './pack-index.ts';
import { markPack } from './pack-mark.ts';
import { PackWriter } from './pack-writer.ts';
import { type Reception, receiveEntry } from './receive-entry.ts';
import { ReceivedEntries } from './received-entries.ts';
import { resolveDeltas } from './resolve-deltas.ts';

const HEADER = 12;
const TRAILER = 20;

export interface ReceivedPack {
  /** `pack-` and 40 digits; '' when the pack was empty, then nothing was written. */
  readonly name: string;
  readonly objects: number;
  /** Of the pack as it came. */
  readonly bytes: number;
}

export interface ReceiveOptions {
  readonly guard: Guard | undefined;
  readonly signal: AbortSignal;
}

export interface Receipt {
  readonly received: ReceivedPack;
  /** Marked as received; undefined when it was empty. */
  readonly pack: Pack | undefined;
}

/**
 * Takes a pack from a stream into the repository. Every entry is inflated and every object hashed on the way, so what
 * is kept is what Git would have made of it; only the columns of `ReceivedEntries` grow with the number of objects. It is
 * durable, and marked, when this resolves. Throws PACK_INVALID for what is no such pack, passes on what the source
 * throws and the signal's reason, and leaves nothing behind then.
 */
export async function receivePack(
  store: ObjectStore,
  source: AsyncIterable<Uint8Array>,
  { guard, signal }: ReceiveOptions,
): Promise<Receipt> {
  const queue = new ByteQueue(source);
  try {
    return await receive(store, queue, { guard, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (queue.failure !== undefined) throw queue.failure.error;
    if (isMalformed(error)) throw invalidPack(store.directory, `is malformed (${error.message})`, error);
    if (errnoOf(error) === 'ENOENT') await guard?.();
    throw fileFailure(store.directory, 'receive a pack', error);
  } finally {
    await queue.close();
  }
}

async function receive(store: ObjectStore, queue: ByteQueue, { guard, signal }: ReceiveOptions): Promise<Receipt> {
  const count = decodePackHeader(await queue.fill(HEADER));
  queue.drop(HEADER);
  await using writer = await PackWriter.create(store.packDirectory, count);
  const entries = new ReceivedEntries();
  const baseIds = new Map<number, ObjectId>();
  await receiveEntries({ queue, writer, entries, baseIds }, count, signal);
  await requireTrailer(queue, writer.checksum);
  const bytes = writer.offset + TRAILER;
  if (count === 0) return { received: { name: '', objects: 0, bytes }, pack: undefined };
  await writer.flush();
  await resolveDeltas(writer.path, { entries, baseIds }, signal);
  const index = buildIndex(entries);
  const { name } = await writer.finish({
    renderIndex: (checksum) => index.finish(checksum),
    beforeNaming: (path) => markPack(path, 'received'),
    guard,
  });
  return { received: { name, objects: count, bytes }, pack: openPack(store.directory, name, true) };
}

async function receiveEntries(reception: Reception, count: number, signal: AbortSignal): Promise<void> {
  const breath = new Breath();
  for (let i = 0; i < count; i++) {
    signal.throwIfAborted();
    await receiveEntry(reception);
    if (reception.writer.isFull) await reception.writer.flush();
    await breath.take();
  }
  reception.entries.end = reception.writer.offset;
}

function decodePackHeader(bytes: Buffer): number {
  if (bytes.length < HEADER) throw new RangeError('It ends inside its header');
  if (bytes.toString('latin1', 0, 4) !== 'PACK' || bytes.readUInt32BE(4) !== 2)
    throw new RangeError('It is no pack of version 2');
  return bytes.readUInt32BE(8);
}

async function requireTrailer(queue: ByteQueue, checksum: Buffer): Promise<void> {
  const rest = await queue.fill(TRAILER + 1);
  if (!rest.equals(checksum)) throw new RangeError('Its checksum is another one');
}

function buildIndex(entries: ReceivedEntries): PackIndexBuilder {
  const index = new PackIndexBuilder(entries.count);
  let previous = '';
  for (const row of entries.sorted()) {
    const id = entries.id(row);
    if (id === previous) throw new RangeError(`It holds object ${id} twice`);
    index.add(id, entries.crc[row] as number, entries.offset[row] as number);
    previous = id;
  }
  return index;
}

/** Of our own checks, of Node's on reading beyond a buffer, or of zlib; in contrast to the file system's. */
function isMalformed(error: unknown): error is Error {
  if (error instanceof RangeError) return true;
  return error instanceof Error && /^(Z_|ERR_BUFFER_TOO_LARGE)/.test(errnoOf(error) ?? '');
}
