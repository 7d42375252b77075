import { inflateSync } from 'node:zlib';
import { errnoOf } from './errors.ts';
import { readAt } from './open-files.ts';
import { MOST_INFLATED, type Pack } from './open-pack.ts';
import { decodeEntryHeader, MAX_HEADER } from './pack-format.ts';
import type { PackIndex } from './pack-index.ts';

/** Where the entries of a pack begin and end: as its index says, or as the pack itself shows. */

export interface Entry {
  readonly offset: number;
  readonly end: number;
  /** As the index has them. */
  readonly id: Buffer | undefined;
  readonly crc: number | undefined;
}

/** In the order of the pack. */
export function* indexedEntries(pack: Pack, index: PackIndex): Generator<Entry> {
  const offsets = Float64Array.from({ length: index.count }, (_, position) => index.offset(position));
  const positions = Uint32Array.from(offsets.keys()).sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
  for (const [i, position] of positions.entries()) {
    const next = positions[i + 1];
    const end = next === undefined ? pack.packBytes - 20 : (offsets[next] as number);
    yield { offset: offsets[position] as number, end, id: index.id(position), crc: index.crc(position) };
  }
}

/** Without an index the only way to the next entry is through this one, so it ends where one cannot be read. */
export function* walkEntries(pack: Pack): Generator<Entry> {
  const header = readAt(pack.file, 0, 12);
  const count = header.length === 12 ? header.readUInt32BE(8) : 0;
  for (let at = 12, i = 0; i < count && at < pack.packBytes; i++) {
    const length = measureEntry(pack, at);
    if (length === undefined) return;
    yield { offset: at, end: at + length, id: undefined, crc: undefined };
    at += length;
  }
}

/** What `info` adds to the answer; Node's types know it of the asynchronous form alone. */
interface Inflated {
  readonly engine: { readonly bytesWritten: number };
}

function measureEntry(pack: Pack, offset: number): number | undefined {
  try {
    const header = decodeEntryHeader(readAt(pack.file, offset, MAX_HEADER), 0);
    const left = pack.packBytes - offset;
    const most = Math.min(header.length + header.size + Math.floor(header.size / 256) + 64, left);
    const options = { info: true, maxOutputLength: Math.min(Math.max(header.size, 1), left * MOST_INFLATED) };
    const bytes = readAt(pack.file, offset, most);
    const { engine } = inflateSync(bytes.subarray(header.length), options) as unknown as Inflated;
    return header.length + engine.bytesWritten;
  } catch (error) {
    // What is not the file system's is zlib's or ours: no entry begins here.
    if (error instanceof Error && 'syscall' in error && errnoOf(error) !== 'EIO') throw error;
    return undefined;
  }
}
