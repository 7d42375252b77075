import { arrayAt, isJsonObject, type Json, type JsonObject, type KubeObject, stringAt } from '../core/object.ts';
import type { Identities } from './identity.ts';
import { type Leaf, leavesOf, replaceLeaves, unsorted } from './leaves.ts';
import { decryptLeaf, decryptMac, isSealed, macOf, type Unsealed } from './sops-read.ts';

/** Opens a manifest that sops can open: ours, and what people made of it with sops itself. */

export interface Opened {
  /** Without the `sops` block. */
  readonly object: KubeObject;
  /** Pointers of all values that were sealed. */
  readonly sealed: readonly string[];
  /** What cannot be used, and why; of a file that somebody changed, nothing can. */
  readonly closed: readonly { readonly pointer: string; readonly why: string }[];
}

const MOST_KEYS = 100;
const LONGEST_KEY = 64 * 1024;

/** Undefined for an object that sops did not seal; one may well have a field `sops` of its own. */
export async function openSops(object: KubeObject, identities: Identities | undefined): Promise<Opened | undefined> {
  const { sops, ...rest } = object as JsonObject;
  const mac = stringAt(sops, 'mac');
  if (!isJsonObject(sops) || mac === undefined || stringAt(sops, 'lastmodified') === undefined) return undefined;
  const plain = rest as KubeObject;
  const shaped = leavesOf(plain).filter((leaf) => isSealed(leaf.value));
  const key = await findDataKey(sops, identities);
  if (typeof key === 'string') {
    const sealed = shaped.map(({ pointer }) => pointer);
    return { object: plain, sealed, closed: close(sealed, key) };
  }
  const isMeant = keysSealedBy(stringAt(sops, 'encrypted_regex') ?? '');
  const leaves = shaped.filter(({ keys }) => isMeant(keys));
  const sealed = leaves.map(({ pointer }) => pointer);
  const unsealed = unsealAll(key, leaves);
  if (unsealed === undefined || !isIntact(key, sops, plain, unsealed)) {
    const all = leavesOf(plain).map(({ pointer }) => pointer);
    return {
      object: plain,
      sealed,
      closed: close(
        all.filter((one) => !IDENTITY.has(one)),
        CHANGED,
      ),
    };
  }
  const opened = replaceLeaves(plain, leaves, (leaf) => unsealed.get(leaf.pointer)?.value as Json);
  return { object: opened as KubeObject, sealed, closed: [] };
}

/**
 * Which paths an expression seals, where it is one of ours: `^(data|stringData)$`. Then what only looks sealed elsewhere stays what it is. Any
 * other expression is a stranger's and is not run: the look of the values must do.
 */
function keysSealedBy(regex: string): (keys: readonly string[]) => boolean {
  const inner = /^\^\((.*)\)\$$/s.exec(regex)?.[1];
  const names = inner?.match(/(?:\\[!-/:-@[-^`{-~]|[^\\|.[\](){}*+?^$])+/g) ?? [];
  if (inner === undefined || names.join('|') !== inner) return () => true;
  const sealed = new Set(names.map((name) => name.replace(/\\(.)/g, '$1')));
  return (keys) => keys.some((key) => sealed.has(key));
}

const CHANGED = 'it was changed after it was encrypted';
/** Which object it is, its path says too. */
const IDENTITY: ReadonlySet<string> = new Set(['/apiVersion', '/kind', '/metadata/name', '/metadata/namespace']);

function close(pointers: readonly string[], why: string): Opened['closed'] {
  return pointers.map((pointer) => ({ pointer, why }));
}

/** The key of one file, or why it cannot be had. */
async function findDataKey(sops: JsonObject, identities: Identities | undefined): Promise<Uint8Array | string> {
  if (arrayAt(sops, 'key_groups').length > 0)
    return 'it needs keys of several groups together, which only sops combines';
  const keys = arrayAt(sops, 'age').slice(0, MOST_KEYS);
  if (keys.length === 0) return 'it is not encrypted for an age identity';
  if (identities === undefined) return 'it is encrypted, and no identity was given';
  for (const key of ownFirst(keys, identities)) {
    const enc = stringAt(key, 'enc') ?? '';
    const found = enc.length > LONGEST_KEY ? undefined : await identities.open(enc);
    if (found?.length === 32) return found;
  }
  return 'no given identity fits';
}

/** Each try is costly, and a key says whom it is for. */
function ownFirst(keys: readonly Json[], identities: Identities): readonly Json[] {
  const isOwn = (key: Json) => identities.recipients.has(stringAt(key, 'recipient') ?? '');
  return [...keys.filter(isOwn), ...keys.filter((key) => !isOwn(key))];
}

function unsealAll(key: Uint8Array, leaves: readonly Leaf[]): ReadonlyMap<string, Unsealed> | undefined {
  const unsealed = new Map<string, Unsealed>();
  for (const leaf of leaves) {
    const one = decryptLeaf(key, leaf);
    if (one === undefined) return undefined;
    unsealed.set(leaf.pointer, one);
  }
  return unsealed;
}

/** The sum depends on the order of the file: sorted as we write it, or as somebody left it with sops. */
function isIntact(key: Uint8Array, sops: JsonObject, object: Json, unsealed: ReadonlyMap<string, Unsealed>): boolean {
  const mac = decryptMac(key, stringAt(sops, 'mac') ?? '', stringAt(sops, 'lastmodified') ?? '');
  if (mac === undefined || mac === '') return false;
  const onlyEncrypted = sops['mac_only_encrypted'] === true;
  return [leavesOf(object), leavesOf(object, unsorted)].some(
    (leaves) => macOf(leaves, unsealed, onlyEncrypted) === mac,
  );
}
