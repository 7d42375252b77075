const MODULUS = 65521;

/** The most bytes that can be summed before a sum could leave 32 bits (RFC 1950's reference code has the same figure). */
const UNREDUCED = 5552;

/** The checksum of a zlib stream; node:zlib has it only inside of its streams. */
export function adler32(bytes: Buffer): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < bytes.length; start += UNREDUCED) {
    const end = Math.min(start + UNREDUCED, bytes.length);
    for (let i = start; i < end; i++) {
      low += bytes[i] as number;
      high += low;
    }
    low %= MODULUS;
    high %= MODULUS;
  }
  return high * 65536 + low;
}
