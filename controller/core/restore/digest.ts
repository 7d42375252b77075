import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { renderJson } from '../json.ts';
import type { Json } from '../object.ts';

/** Hex of SHA-256 over the text of a value. */
export function digestOf(value: Json): string {
  return bytesToHex(sha256(utf8ToBytes(renderJson(value))));
}
