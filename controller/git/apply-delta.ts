/** Throws a RangeError when the delta does not fit the base or is cut. */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  const reader = { delta, at: 0 };
  if (decodeSize(reader) !== base.length) throw new RangeError('The delta belongs to another base');
  const target = Buffer.allocUnsafeSlow(decodeSize(reader));
  let filled = 0;
  while (reader.at < delta.length) {
    const op = delta.readUInt8(reader.at++);
    if (op === 0) throw new RangeError('The delta holds a reserved instruction');
    let offset = reader.at;
    let length = op;
    let source = delta;
    if (op & 0x80) {
      offset = decodeBits(reader, op & 15);
      length = decodeBits(reader, (op >> 4) & 7) || 0x10000;
      source = base;
    } else {
      reader.at += length;
    }
    if (offset + length > source.length || filled + length > target.length)
      throw new RangeError('The delta reaches too far');
    filled += source.copy(target, filled, offset, offset + length);
  }
  if (filled !== target.length) throw new RangeError('The delta is too short');
  return target;
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
