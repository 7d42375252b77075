import type { KeyObject } from 'node:crypto';
import { parseJson, renderJson } from '../core/json.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject, stringAt } from '../core/object.ts';
import { valueAt } from '../core/pointer.ts';
import { fingerprintOf, hashParts, type Place } from './fingerprint.ts';
import { type Leaf, replaceLeaves } from './leaves.ts';
import type { SopsPlan } from './sops-plan.ts';
import { encryptLeaf, encryptMac } from './sops-value.ts';

/**
 * A manifest as sops's JSON file. Its `sops` block holds what sops wants and, under `kubekeeper`, which sops skips, a keyed
 * fingerprint of each sealed value and one of the whole sealing: so we, who cannot decrypt, know what is unchanged.
 * The MAC covers the sealed values only (`mac_only_encrypted`, sops 3.9): the rest may change without the data key, and no
 * spelling of a number stands between sops's sum and ours; Git's own hashes protect that rest.
 */

/** What encrypts one file; it lives in memory only. */
export interface DataKey {
  readonly key: Buffer;
  /** The data key for each recipient, as sops's `age` list. */
  readonly recipients: readonly { readonly recipient: string; readonly enc: string }[];
}

export interface Sealing {
  readonly place: Place;
  readonly object: KubeObject;
  readonly plan: SopsPlan;
  /** Pointer of a sealed leaf to the keyed fingerprint of its value. */
  readonly fingerprints: ReadonlyMap<string, string>;
}

/** The first sops that knows `mac_only_encrypted`. */
const FORMAT_VERSION = '3.9.0';

export function fingerprintLeaves(key: KeyObject, place: Place, leaves: readonly Leaf[]): ReadonlyMap<string, string> {
  return new Map(leaves.map((leaf) => [leaf.pointer, fingerprintOf(key, place, leaf)]));
}

/** The file, encrypted with `dataKey`; the same arguments give the same bytes. `lastModified` is RFC 3339 in whole seconds, UTC. */
export function encryptFile(key: KeyObject, sealing: Sealing, dataKey: DataKey, lastModified: string): string {
  const { leaves, regex } = sealing.plan;
  const sealed = new Map(leaves.map((leaf) => [leaf.pointer, encryptLeaf(dataKey.key, leaf)]));
  const block: JsonObject = {
    age: dataKey.recipients.map((recipient) => ({ ...recipient })),
    encrypted_regex: regex,
    lastmodified: lastModified,
    mac: encryptMac(dataKey.key, leaves, lastModified),
    mac_only_encrypted: true,
    version: FORMAT_VERSION,
  };
  return renderFile(sealing, sealed, block, sealOf(key, sealing, sealed, block));
}

/**
 * The file with the ciphertexts of the previous one, or undefined unless that one seals exactly these values for exactly these
 * recipients and nobody touched its ciphertexts or its block.
 */
export function keepFile(
  key: KeyObject,
  sealing: Sealing,
  recipients: readonly string[],
  previous: string,
): string | undefined {
  const file = parsePrevious(previous);
  if (!isJsonObject(file) || !isJsonObject(file['sops'])) return undefined;
  const { kubekeeper, ...block } = file['sops'];
  const sealed = new Map<string, string>();
  for (const leaf of sealing.plan.leaves) {
    const value = valueAt(file, leaf.pointer);
    if (typeof value !== 'string') return undefined;
    sealed.set(leaf.pointer, value);
  }
  if (block['encrypted_regex'] !== sealing.plan.regex || !isFor(block['age'], recipients)) return undefined;
  const seal = sealOf(key, sealing, sealed, block);
  return stringAt(kubekeeper, 'seal') === seal ? renderFile(sealing, sealed, block, seal) : undefined;
}

/** Anything may lie at the path (another tool's work, a conflict's markers): what does not parse is no earlier version. */
function parsePrevious(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isFor(age: Json | undefined, recipients: readonly string[]): boolean {
  if (!Array.isArray(age) || age.length !== recipients.length) return false;
  return recipients.every((recipient, index) => stringAt(age[index], 'recipient') === recipient);
}

function sealOf(key: KeyObject, sealing: Sealing, sealed: ReadonlyMap<string, string>, block: JsonObject): string {
  const parts = ['seal', sealing.place.repository, sealing.place.path, renderJson(block)];
  for (const [pointer, text] of sealed) parts.push(pointer, sealing.fingerprints.get(pointer) ?? '', text);
  return hashParts(key, parts);
}

function renderFile(sealing: Sealing, sealed: ReadonlyMap<string, string>, block: JsonObject, seal: string): string {
  const object = replaceLeaves(sealing.object, sealing.plan.leaves, (leaf) => sealed.get(leaf.pointer) as string);
  const fingerprints = Object.fromEntries(sealing.fingerprints);
  return renderJson({ ...(object as JsonObject), sops: { ...block, kubekeeper: { fingerprints, seal } } });
}
