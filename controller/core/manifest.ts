import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { type KubeObject, type ObjectRef, type Resource, type ResourceName, resourceName } from './object.ts';

/** Where an object's manifest lies in its repository: `RESOURCE[.GROUP]/NAME.json`, both ways. docs/format.md is the specification. */

const EXTENSION = '.json';
/** The longest file name that common file systems take. */
const LONGEST_PART = 255;
const SHORTENED_STEM = LONGEST_PART - EXTENSION.length - 1 - 32;

/** The path of an object's manifest: two parts, each at most 255 bytes of `[A-Za-z0-9._%~-]`. */
export function manifestPath(ref: { readonly resource: ResourceName; readonly name: string }): string {
  return `${ref.resource}/${fileName(ref.name)}`;
}

/** The reference that a path stands for; `name` is absent where the path was shortened (the file itself holds it). */
export function parseManifestPath(path: string): { resource: ResourceName; name: string | undefined } | undefined {
  const slash = path.indexOf('/');
  if (slash <= 0 || !path.endsWith(EXTENSION) || path.startsWith('.')) return undefined;
  const stem = path.slice(slash + 1, -EXTENSION.length);
  return { resource: path.slice(0, slash), name: stem.includes('~') ? undefined : decodeURIComponent(stem) };
}

function fileName(name: string): string {
  const stem = encodePart(name);
  if (stem.length + EXTENSION.length <= LONGEST_PART) return stem + EXTENSION;
  // '~' never comes out of the encoding, so a shortened name cannot be mistaken for a whole one.
  const digest = bytesToHex(sha256(utf8ToBytes(name))).slice(0, 32);
  return `${stem.slice(0, SHORTENED_STEM)}~${digest}${EXTENSION}`;
}

/** Percent-encodes every byte outside `[A-Za-z0-9._-]`; '%' is illegal in object names, so this is reversible. */
function encodePart(name: string): string {
  if (/^[A-Za-z0-9._-]*$/.test(name)) return name;
  let encoded = '';
  for (const byte of utf8ToBytes(name)) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** The reference of an object that came through `resource`. */
export function refOf(resource: Resource, object: KubeObject): ObjectRef {
  const namespace = object.metadata['namespace'];
  const name = object.metadata.name;
  return typeof namespace === 'string' && namespace !== ''
    ? { resource: resourceName(resource), namespace, name }
    : { resource: resourceName(resource), name };
}
