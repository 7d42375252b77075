import { createHmac, type KeyObject } from 'node:crypto';
import { type Json, type KubeObject, objectAt, stringAt } from '../core/object.ts';
import { valueAt } from '../core/pointer.ts';
import { type Leaf, leavesAt, replaceLeaves } from './leaves.ts';

/** Keyed fingerprints: they show that a value changed and, without the key, nothing else; not even that two places hold the same. */

/** Where a manifest lies: the repository's name and the path in it. */
export interface Place {
  readonly repository: string;
  readonly path: string;
}

/**
 * The object with a fingerprint, `kubekeeper:hmac-sha256:HEX`, in place of each secret. A colon is no base64, so the API server
 * refuses such a file as a Secret's `data`: a fingerprint can never be applied as if it were the password.
 */
export function fingerprintSecrets(key: KeyObject, place: Place, object: KubeObject, secrets: readonly string[]): Json {
  const leaves = leavesAt(object, secrets);
  return replaceLeaves(object, leaves, (leaf) => `kubekeeper:hmac-sha256:${fingerprintOf(key, place, leaf)}`);
}

/** The fingerprint of one leaf: 32 hex digits (128 bits of HMAC-SHA-256) over repository, path, pointer, type and value. */
export function fingerprintOf(key: KeyObject, place: Place, leaf: Leaf): string {
  return hashParts(key, ['leaf', place.repository, place.path, leaf.pointer, typeof leaf.value, textOf(leaf)]);
}

/** HMAC over parts of any text. Each part goes in behind its length, so that no two lists of parts read the same. */
export function hashParts(key: KeyObject, parts: readonly string[]): string {
  let framed = 'kubekeeper/1:';
  for (const part of parts) framed += `${part.length}:${part}`;
  return createHmac('sha256', key).update(framed).digest('hex').slice(0, 32);
}

/** The text of a leaf's value; a number as the server spelled it. */
export function textOf(leaf: Leaf): string {
  return typeof leaf.value === 'object' ? leaf.value.rawJSON : String(leaf.value);
}

const STANDS_FOR = /^kubekeeper:hmac-sha256:([0-9a-f]{32})$/;

/** The fingerprint that an archived object holds of one of its values, by either policy; undefined where it has none. */
export function archivedFingerprint(archived: Json | undefined, pointer: string): string | undefined {
  const value = valueAt(archived, pointer);
  const own = typeof value === 'string' ? STANDS_FOR.exec(value)?.[1] : undefined;
  return own ?? stringAt(objectAt(objectAt(objectAt(archived, 'sops'), 'kubekeeper'), 'fingerprints'), pointer);
}
