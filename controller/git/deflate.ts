import { promisify } from 'node:util';
import { crc32, deflate, deflateSync } from 'node:zlib';
import { adler32 } from './adler32.ts';
import { ENTRY, encodeEntryHeader } from './pack-format.ts';

/**
 * Half of a large tree are ids that do not compress, and a window's pack lives until the next consolidation: stored is
 * 5 x faster than level 1 and takes 1.7 x the room for that while.
 */
const STORED_FROM = 32 * 1024;

const STORED_BLOCK = 0xffff;

/** A whole entry of a pack, header and zlib stream, in pieces that follow each other. */
export interface PackedBytes {
  readonly parts: readonly Buffer[];
  readonly length: number;
  readonly crc: number;
}

const deflateElsewhere = promisify(deflate);

/** Quick rather than small. A large tree is not copied: its bytes must not change until they are written. */
export function packEntry(type: number, content: Buffer): PackedBytes {
  const header = encodeEntryHeader(type, content.length);
  const isStored = type === ENTRY.tree && content.length >= STORED_FROM;
  return measure(isStored ? [header, ...storedParts(content)] : [header, deflateQuick(content)]);
}

function measure(parts: readonly Buffer[]): PackedBytes {
  let length = 0;
  let crc = 0;
  for (const part of parts) {
    length += part.length;
    crc = crc32(part, crc);
  }
  return { parts, length, crc };
}

/** Small chunks and few hash bits: zlib would clear a quarter of a megabyte for each small manifest. */
function deflateQuick(content: Buffer): Buffer {
  return content.length <= 8192
    ? deflateSync(content, { level: 1, windowBits: 13, memLevel: 6, chunkSize: content.length <= 4096 ? 2040 : 4080 })
    : deflateSync(content, { level: 1 });
}

/** RFC 1950 and 1951: a zlib stream of stored blocks. */
function storedParts(content: Buffer): Buffer[] {
  const parts: Buffer[] = [Buffer.from([0x78, 0x01])];
  for (let start = 0; start < content.length; start += STORED_BLOCK) {
    const block = content.subarray(start, start + STORED_BLOCK);
    const header = Buffer.alloc(5);
    header.writeUInt8(start + STORED_BLOCK >= content.length ? 1 : 0, 0);
    header.writeUInt16LE(block.length, 1);
    header.writeUInt16LE(~block.length & 0xffff, 3);
    parts.push(header, block);
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(adler32(content));
  parts.push(checksum);
  return parts;
}

/** For packs that stay: small rather than quick, off the event loop when it would take more than a millisecond. */
export async function deflateSmall(content: Buffer): Promise<Buffer> {
  if (content.length > 32 * 1024) return deflateElsewhere(content, { level: 6 });
  const few = content.length <= 4096 ? { windowBits: 12, memLevel: 6, chunkSize: 2040 } : { chunkSize: 8160 };
  return deflateSync(content, { level: 6, ...few });
}
