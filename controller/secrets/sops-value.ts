import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { textOf } from './fingerprint.ts';
import type { Leaf } from './leaves.ts';

/** Values as sops writes them: `ENC[AES256_GCM,data:..,iv:..,tag:..,type:..]` (getsops/sops, aes/cipher.go and sops.go). */

interface SopsScalar {
  readonly type: 'str' | 'int' | 'float' | 'bool';
  /** What is encrypted and what the MAC covers. */
  readonly text: string;
}

/** What sops's MAC begins with when it covers only the encrypted values: SHA-256 of "sops". */
export const MAC_ONLY_ENCRYPTED = createHash('sha256').update('sops').digest();
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/** A leaf's sealed text. The additional data binds it to its keys; sops knows no sealed empty string, it stays ''. */
export function encryptLeaf(dataKey: Buffer, leaf: Leaf): string {
  return encryptScalar(dataKey, scalarOf(leaf), `${leaf.keys.join(':')}:`, leaf.pointer);
}

/** The sealed MAC over the sealed leaves in the order of the file, bound to `lastModified`. */
export function encryptMac(dataKey: Buffer, leaves: readonly Leaf[], lastModified: string): string {
  const hash = createHash('sha512').update(MAC_ONLY_ENCRYPTED);
  for (const leaf of leaves) hash.update(scalarOf(leaf).text);
  return encryptScalar(dataKey, { type: 'str', text: hash.digest('hex').toUpperCase() }, lastModified, lastModified);
}

/**
 * The nonce is a hash of what is encrypted under the file's own key, so the same value in the same place has the same ciphertext
 * as long as the data key lives, and no nonce serves two texts. sops reads nonces of any length and writes 32 bytes.
 */
function encryptScalar(dataKey: Buffer, scalar: SopsScalar, additionalData: string, spot: string): string {
  if (scalar.text === '') return '';
  const iv = createHmac('sha256', dataKey)
    .update(`kubekeeper/nonce/1:${spot.length}:${spot}${scalar.type}:${scalar.text}`)
    .digest();
  const cipher = createCipheriv('aes-256-gcm', dataKey, iv);
  cipher.setAAD(Buffer.from(additionalData));
  const encrypted = Buffer.concat([cipher.update(scalar.text, 'utf8'), cipher.final()]).toString('base64');
  const tag = cipher.getAuthTag().toString('base64');
  return `ENC[AES256_GCM,data:${encrypted},iv:${iv.toString('base64')},tag:${tag},type:${scalar.type}]`;
}

/** Of a leaf that is not sealed. */
export function scalarOf(leaf: Leaf): SopsScalar {
  if (typeof leaf.value === 'string') return { type: 'str', text: leaf.value };
  if (typeof leaf.value === 'boolean') return { type: 'bool', text: leaf.value ? 'True' : 'False' };
  const text = textOf(leaf);
  const integer = /^-?\d+$/.test(text) ? BigInt(text) : undefined;
  if (integer !== undefined && integer >= INT64.min && integer <= INT64.max) {
    return { type: 'int', text: integer.toString() };
  }
  return { type: 'float', text: decimal(Number(text)) };
}

/** The shortest digits that name a double, without an exponent (Go: strconv.FormatFloat(v, 'f', -1, 64)). */
function decimal(value: number): string {
  const text = String(value);
  const parts = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return Object.is(value, -0) ? '-0' : text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}
