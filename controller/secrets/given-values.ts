import { nearestFirst } from '../core/nearest.ts';
import { isJsonObject, type Json, type KubeObject } from '../core/object.ts';
import { childAt, renderPointer } from '../core/pointer.ts';
import type { SecretValue } from '../core/secret-values.ts';
import { KeeperError } from '../errors.ts';
import { leavesAt, replaceLeaves } from './leaves.ts';

/** Puts the values that a person brought to where the archive holds something else for them. */

/** Throws USAGE_INVALID for a key that is not sealed in the object; the message never holds a value. */
export function putGivenValues(
  object: KubeObject,
  ref: string,
  values: ReadonlyMap<string, SecretValue>,
  sealed: readonly string[],
): { readonly object: KubeObject; readonly given: ReadonlySet<string> } {
  const wanted = new Map<string, string>();
  for (const [key, value] of values) {
    const pointer = isData(object, key) ? renderPointer(['data', key]) : key;
    if (!sealed.includes(pointer)) throw unknown(object, ref, key, sealed);
    wanted.set(pointer, isData(object, key) ? base64Of(value) : textOf(value));
  }
  const leaves = leavesAt(object, [...wanted.keys()]);
  const filled = replaceLeaves(object, leaves, (leaf) => wanted.get(leaf.pointer) as Json);
  return { object: filled as KubeObject, given: new Set(wanted.keys()) };
}

/** No key of a Secret's data holds a slash. */
function isData(object: KubeObject, key: string): boolean {
  return object.kind === 'Secret' && object.apiVersion === 'v1' && !key.startsWith('/');
}

function base64Of(value: SecretValue): string {
  return 'text' in value ? Buffer.from(value.text).toString('base64') : value.base64;
}

function textOf(value: SecretValue): string {
  return 'text' in value ? value.text : Buffer.from(value.base64, 'base64').toString();
}

function unknown(object: KubeObject, ref: string, key: string, sealed: readonly string[]): KeeperError {
  const data = childAt(object, 'data');
  const keys = isData(object, key)
    ? (isJsonObject(data) ? Object.keys(data) : []).filter((one) => sealed.includes(renderPointer(['data', one])))
    : sealed;
  const nearest = nearestFirst(keys, key.slice(0, 200))[0];
  const hint = nearest === undefined ? 'nothing in it is sealed' : `the nearest is ${JSON.stringify(nearest)}`;
  return new KeeperError(
    `Cannot use the secret values: ${ref} has no sealed value ${JSON.stringify(key.slice(0, 200))}, ${hint}; nothing was changed`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}
