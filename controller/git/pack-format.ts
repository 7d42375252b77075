import type { ObjectType } from './object-id.ts';

/** Entry types of pack version 2 (gitformat-pack). */
export const ENTRY = { commit: 1, tree: 2, blob: 3, tag: 4, offsetDelta: 6, referenceDelta: 7 } as const;

const TYPES: readonly (ObjectType | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag'];

/** The longest an entry's header can be: ten bytes of type and size, twenty of base id. */
export const MAX_HEADER = 30;

export interface EntryHeader {
  readonly type: number;
  /** Of the inflated content; for a delta of the delta itself. */
  readonly size: number;
  /** Bytes up to the zlib stream. */
  readonly length: number;
  /** How far before this entry its base begins (offset deltas). */
  readonly distance: number;
  readonly baseId: string | undefined;
}

export function objectTypeOf(entryType: number): ObjectType | undefined {
  return TYPES[entryType];
}

export function packHeader(count: number): Buffer {
  const header = Buffer.alloc(12);
  header.write('PACK', 0, 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(count, 8);
  return header;
}

export function encodeEntryHeader(type: number, size: number, distance = 0): Buffer {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  bytes.push((type << 4) | (size % 16) | (rest > 0 ? 0x80 : 0));
  while (rest > 0) {
    const next = Math.floor(rest / 128);
    bytes.push((rest % 128) | (next > 0 ? 0x80 : 0));
    rest = next;
  }
  if (type === ENTRY.offsetDelta) bytes.push(...encodeDistance(distance));
  return Buffer.from(bytes);
}

function encodeDistance(distance: number): number[] {
  const bytes = [distance % 128];
  let rest = Math.floor(distance / 128);
  while (rest > 0) {
    rest -= 1;
    bytes.unshift(0x80 | (rest % 128));
    rest = Math.floor(rest / 128);
  }
  return bytes;
}

/** Throws a RangeError when the bytes end inside the header. */
export function decodeEntryHeader(bytes: Buffer, start: number): EntryHeader {
  let at = start;
  let byte = bytes.readUInt8(at++);
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let factor = 16; byte & 0x80; factor *= 128) {
    byte = bytes.readUInt8(at++);
    size += (byte & 127) * factor;
  }
  let distance = 0;
  let baseId: string | undefined;
  if (type === ENTRY.offsetDelta) {
    byte = bytes.readUInt8(at++);
    distance = byte & 127;
    while (byte & 0x80) {
      byte = bytes.readUInt8(at++);
      distance = (distance + 1) * 128 + (byte & 127);
    }
  } else if (type === ENTRY.referenceDelta) {
    if (at + 20 > bytes.length) throw new RangeError('The bytes end inside an entry header');
    baseId = bytes.toString('hex', at, at + 20);
    at += 20;
  }
  return { type, size, length: at - start, distance, baseId };
}
