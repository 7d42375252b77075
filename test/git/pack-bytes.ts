import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { ENTRY, encodeEntryHeader, packHeader } from '../../controller/git/pack-format.ts';

/** An entry of a pack made by hand. */
export interface HandEntry {
  readonly type: keyof typeof ENTRY;
  readonly content: Buffer;
  /** For an offset delta: which entry it says its base is. */
  readonly base?: number;
  readonly baseId?: string;
  /** What the header says instead of the truth. */
  readonly size?: number;
  readonly distance?: number;
}

/** A pack of these entries, with a right checksum, whatever the entries say. */
export function packOf(entries: readonly HandEntry[], count = entries.length, level = 6): Buffer {
  const parts = [packHeader(count)];
  const offsets: number[] = [];
  let offset = 12;
  for (const { type, content, base, baseId, size = content.length, distance } of entries) {
    offsets.push(offset);
    const back = distance ?? (base === undefined ? 0 : offset - (offsets[base] as number));
    const header = encodeEntryHeader(ENTRY[type], size, back);
    const entry = [
      header,
      baseId === undefined ? Buffer.alloc(0) : Buffer.from(baseId, 'hex'),
      deflateSync(content, { level }),
    ];
    for (const part of entry) offset += part.length;
    parts.push(...entry);
  }
  return sealed(Buffer.concat(parts));
}

/** With the checksum behind it. */
export function sealed(body: Buffer): Buffer {
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

/** A delta by hand: sizes, then instructions as given. */
export function deltaOf(baseSize: number, targetSize: number, ...instructions: Buffer[]): Buffer {
  return Buffer.concat([varint(baseSize), varint(targetSize), ...instructions]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** In pieces of these sizes, over and over. */
export async function* inPieces(bytes: Buffer, ...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, k = 0; at < bytes.length; k++) {
    const size = sizes[k % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
