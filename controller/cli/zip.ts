import { crc32, deflateRawSync } from 'node:zlib';

/** A zip file, piece by piece (PKWARE's APPNOTE 6.3): entries one after the other, then a table of them. Names are ASCII. */

export interface Zip {
  /** The bytes of one file, which come next. */
  add(name: string, content: string): Buffer;
  /** The bytes that end it. */
  end(): Buffer;
}

const [FILE, ENTRY, END, END_64, LOCATOR_64] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50];
const DEFLATED = 8;
const MOST_16 = 0xffff;
const MOST_32 = 0xffffffff;

/** All entries are of one time (UTC), so that the same content gives the same bytes; `mode` is Unix's. */
export function createZip(time: Date, mode: number): Zip {
  const table: Buffer[] = [];
  let written = 0;
  const add = (name: string, content: string): Buffer => {
    const bytes = Buffer.from(content);
    const deflated = deflateRawSync(bytes);
    const common = Buffer.alloc(22);
    common.writeUInt16LE(DEFLATED, 0);
    common.writeUInt16LE(dosTime(time), 2);
    common.writeUInt16LE(dosDate(time), 4);
    common.writeUInt32LE(crc32(bytes), 6);
    common.writeUInt32LE(deflated.length, 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt16LE(name.length, 18);
    const head = fields([FILE, 4], [20, 2], [0, 2]);
    const entry = fields([ENTRY, 4], [(3 << 8) | 20, 2], [20, 2], [0, 2]);
    const tail = fields([0, 2], [0, 2], [0, 2], [((0o100000 | mode) << 16) >>> 0, 4], [written, 4]);
    table.push(Buffer.concat([entry, common, tail, Buffer.from(name)]));
    const file = Buffer.concat([head, common, Buffer.from(name), deflated]);
    written += file.length;
    return file;
  };
  const end = (): Buffer => {
    const entries = Buffer.concat(table);
    const [count, start] = [table.length, written];
    const short = fields(
      [END, 4],
      [0, 2],
      [0, 2],
      [Math.min(count, MOST_16), 2],
      [Math.min(count, MOST_16), 2],
      [entries.length, 4],
      [start, 4],
      [0, 2],
    );
    if (count < MOST_16) return Buffer.concat([entries, short]);
    const long = fields([END_64, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [count, 8], [count, 8]);
    const rest = fields([entries.length, 8], [start, 8]);
    const locator = fields([LOCATOR_64, 4], [0, 4], [start + entries.length, 8], [1, 4]);
    return Buffer.concat([entries, long, rest, locator, short]);
  };
  return { add, end };
}

function fields(...values: readonly (readonly [value: number, bytes: 2 | 4 | 8])[]): Buffer {
  const parts = values.map(([value, length]) => {
    // Beyond this, offsets need fields that nothing here writes.
    if (value > MOST_32) throw new RangeError('A zip file holds at most 4 GiB');
    const part = Buffer.alloc(length);
    part.writeUIntLE(value, 0, Math.min(length, 6));
    return part;
  });
  return Buffer.concat(parts);
}

function dosTime(time: Date): number {
  return (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
}

function dosDate(time: Date): number {
  const years = Math.min(Math.max(time.getUTCFullYear() - 1980, 0), 127);
  return (years << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
}
