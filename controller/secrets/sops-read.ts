import { createDecipheriv, createHash } from 'node:crypto';
import type { Json } from '../core/object.ts';
import type { Leaf } from './leaves.ts';
import { MAC_ONLY_ENCRYPTED, scalarOf } from './sops-value.ts';

/** Reads what sops sealed: single values, and the sum over all of them. */

export interface Unsealed {
  readonly value: Json;
  /** What the sum covers. */
  readonly bytes: Buffer;
}

const HEAD = 'ENC[AES256_GCM,data:';

/** Does this text have the form of a sealed value? An expression would keep a place for each byte of a large one. */
export function isSealed(value: unknown): value is string {
  return typeof value === 'string' && partsOf(value) !== undefined;
}

/** Undefined when it was not sealed with this key at this place. */
export function decryptLeaf(dataKey: Uint8Array, leaf: Leaf): Unsealed | undefined {
  return decrypt(dataKey, String(leaf.value), `${leaf.keys.join(':')}:`);
}

/** The sum that a file names of itself, or undefined when that is not readable. */
export function decryptMac(dataKey: Uint8Array, mac: string, lastModified: string): string | undefined {
  return decrypt(dataKey, mac, lastModified)?.bytes.toString();
}

/** The sum over leaves in this order: of all, or of the sealed ones only. */
export function macOf(
  leaves: readonly Leaf[],
  unsealed: ReadonlyMap<string, Unsealed>,
  onlyEncrypted: boolean,
): string {
  const hash = createHash('sha512');
  if (onlyEncrypted) hash.update(MAC_ONLY_ENCRYPTED);
  for (const leaf of leaves) {
    const sealed = unsealed.get(leaf.pointer);
    if (sealed !== undefined) hash.update(sealed.bytes);
    else if (!onlyEncrypted) hash.update(scalarOf(leaf).text);
  }
  return hash.digest('hex').toUpperCase();
}

interface Parts {
  readonly data: string;
  readonly iv: string;
  readonly tag: string;
  readonly type: string;
}

function partsOf(text: string): Parts | undefined {
  if (!text.startsWith(HEAD) || !text.endsWith(']')) return undefined;
  const iv = text.indexOf(',iv:', HEAD.length);
  const tag = text.indexOf(',tag:', iv);
  const type = text.indexOf(',type:', tag);
  if (iv < 0 || tag < 0 || type < 0) return undefined;
  return {
    data: text.slice(HEAD.length, iv),
    iv: text.slice(iv + ',iv:'.length, tag),
    tag: text.slice(tag + ',tag:'.length, type),
    type: text.slice(type + ',type:'.length, -1),
  };
}

function decrypt(dataKey: Uint8Array, text: string, additionalData: string): Unsealed | undefined {
  const parts = partsOf(text);
  // sops knows no sealed empty text: it stays ''.
  if (parts === undefined) return text === '' ? { value: '', bytes: Buffer.alloc(0) } : undefined;
  const tag = Buffer.from(parts.tag, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', dataKey, Buffer.from(parts.iv, 'base64'), { authTagLength: 16 });
    decipher.setAuthTag(tag);
    decipher.setAAD(Buffer.from(additionalData));
    const bytes = Buffer.concat([decipher.update(parts.data, 'base64'), decipher.final()]);
    const value = scalarFrom(bytes.toString(), parts.type);
    return value === undefined ? undefined : { value, bytes };
  } catch {
    // Another key, another place, or other bytes: which one, nobody can tell.
    return undefined;
  }
}

function scalarFrom(text: string, type: string): Json | undefined {
  switch (type) {
    case 'str':
    case 'bytes':
      return text;
    case 'bool':
      return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined;
    case 'int':
    case 'float':
      return numberOf(text);
    default:
      return undefined;
  }
}

/** With all its digits; what JSON has no number for (NaN) is none. */
function numberOf(text: string): Json | undefined {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  return String(Number(text)) === text ? Number(text) : JSON.rawJSON(text);
}
