import { createHash } from 'node:crypto';
import { PackIndex } from './pack-index.ts';

/** The index of these bytes. Throws a RangeError for one that was cut or changed: a wrong row would give another object's bytes. */
export function readIndex(bytes: Buffer): PackIndex {
  const index = new PackIndex(bytes);
  const digest = createHash('sha1').update(bytes.subarray(0, -20)).digest();
  if (!digest.equals(bytes.subarray(-20)))
    throw new RangeError('The pack index does not have the checksum that it names');
  return index;
}

/** What is wrong with the rows of an index whose checksum is right, or undefined. `packBytes` is the length of its pack. */
export function rowProblem(index: PackIndex, packBytes: number): string | undefined {
  for (let byte = 0; byte < 256; byte++) {
    if (index.fanout(byte) < index.fanout(byte - 1)) return 'has a table of first bytes that goes back';
  }
  for (let position = 0; position < index.count; position++) {
    const id = index.id(position);
    const first = id[0] as number;
    if (position < index.fanout(first - 1) || position >= index.fanout(first)) return 'has an id in the wrong place';
    if (position > 0 && index.id(position - 1).compare(id) >= 0) return 'has ids out of order';
    const offset = index.offset(position);
    if (offset < 12 || offset >= packBytes - 20) return 'points outside of its pack';
  }
  return undefined;
}
