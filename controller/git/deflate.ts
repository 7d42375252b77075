import { promisify } from 'node:util';
import { deflate, deflateSync } from 'node:zlib';
import { ENTRY, encodeEntryHeader } from './pack-format.ts';

/**
 * Half of a large tree are ids that do not compress, and a window's pack lives until the next consolidation: stored is
 * 5 x faster than level 1 and takes 1.7 x the room for that while.
 */
const STORED_FROM = 32 * 1024;

const deflateElsewhere = promisify(deflate);

/** A whole entry of a window's pack: header and zlib stream, quick rather than small. The result owns nothing larger than itself times two. */
export function encodeEntry(type: number, content: Buffer): Buffer {
  return Buffer.concat([encodeEntryHeader(type, content.length), deflateQuick(content, type)]);
}

function deflateQuick(content: Buffer, type: number): Buffer {
  if (type === ENTRY.tree && content.length >= STORED_FROM) {
    return deflateSync(content, { level: 0, chunkSize: content.length + (content.length >> 8) + 64 });
  }
  // A small window and few hash bits spare zlib the clearing of a quarter of a megabyte for each small manifest.
  return content.length <= 8192
    ? deflateSync(content, { level: 1, windowBits: 13, memLevel: 6, chunkSize: 4096 })
    : deflateSync(content, { level: 1 });
}

/** For packs that stay: small rather than quick, off the event loop when it would take more than a millisecond. */
export async function deflateSmall(content: Buffer): Promise<Buffer> {
  if (content.length > 32 * 1024) return deflateElsewhere(content, { level: 6 });
  return deflateSync(content, { level: 6, chunkSize: 4096 });
}
