/** Throws a RangeError when the delta does not fit the base, is cut, or would make more than `largest` bytes. */
export function applyDelta(base: Buffer, delta: Buffer, largest = Number.POSITIVE_INFINITY): Buffer {
  const reader = { delta, at: 0 };
  if (decodeSize(reader) !== base.length) throw new RangeError('The delta belongs to another base');
  const size = decodeSize(reader);
  if (size > largest) throw new RangeError(`The delta makes an object of ${size} bytes`);
  const target = Buffer.allocUnsafeSlow(size);
  const filled = eachPiece(base, reader, target.length, (source, start, end, at) => {
    source.copy(target, at, start, end);
    return true;
  });
  if (filled !== target.length) throw new RangeError('The delta is too short');
  return target;
}

/** Whether a delta makes exactly this of the base; nothing is built for it. */
export function isDeltaOf(base: Buffer, delta: Buffer, target: Buffer): boolean {
  const reader = { delta, at: 0 };
  if (decodeSize(reader) !== base.length || decodeSize(reader) !== target.length) return false;
  const equal = eachPiece(base, reader, target.length, (source, start, end, at) => {
    return target.compare(source, start, end, at, at + end - start) === 0;
  });
  return equal === target.length;
}

/** Hands over what each instruction copies, until `take` says false; returns how many bytes were taken. */
function eachPiece(
  base: Buffer,
  reader: { delta: Buffer; at: number },
  size: number,
  take: (source: Buffer, start: number, end: number, at: number) => boolean,
): number {
  const { delta } = reader;
  let filled = 0;
  while (reader.at < delta.length) {
    const op = delta.readUInt8(reader.at++);
    if (op === 0) throw new RangeError('The delta holds a reserved instruction');
    const isCopy = (op & 0x80) !== 0;
    const offset = isCopy ? decodeBits(reader, op & 15) : reader.at;
    const length = isCopy ? decodeBits(reader, (op >> 4) & 7) || 0x10000 : op;
    const source = isCopy ? base : delta;
    if (!isCopy) reader.at += length;
    if (offset + length > source.length || filled + length > size) throw new RangeError('The delta reaches too far');
    if (!take(source, offset, offset + length, filled)) return filled;
    filled += length;
  }
  return filled;
}

function decodeSize(reader: { delta: Buffer; at: number }): number {
  let size = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = reader.delta.readUInt8(reader.at++);
    size += (byte & 127) * factor;
    if (byte < 128) return size;
  }
}

function decodeBits(reader: { delta: Buffer; at: number }, present: number): number {
  let value = 0;
  for (let i = 0; present >> i; i++) {
    if (present & (1 << i)) value += reader.delta.readUInt8(reader.at++) * 2 ** (8 * i);
  }
  return value;
}
