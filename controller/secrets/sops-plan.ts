import type { KubeObject } from '../core/object.ts';
import { type Leaf, leavesAt, leavesOf } from './leaves.ts';

/** What sops will take for encrypted. It knows no pointers, only one regular expression over the keys on a leaf's path. */

export interface SopsPlan {
  /** sops's `encrypted_regex`. */
  readonly regex: string;
  /** Every leaf that the expression matches, secret or not, in the order of the file. */
  readonly leaves: readonly Leaf[];
}

/** Where an object says what it is; these stay readable unless nothing else can be chosen. */
const IDENTITY: ReadonlySet<string> = new Set(['/apiVersion', '/kind', '/metadata/name', '/metadata/namespace']);
const IDENTITY_COST = 1_000_000;

/** Covers every secret and as little else as possible; a Secret always by `data` and `stringData`, as people write it for sops. */
export function planSops(object: KubeObject, secrets: readonly string[]): SopsPlan {
  const secret = new Set(leavesAt(object, secrets).map((leaf) => leaf.pointer));
  if (secret.size === 0) return { regex: '', leaves: [] };
  const leaves = leavesOf(object);
  const names = new Set(object.kind === 'Secret' && object.apiVersion === 'v1' ? ['data', 'stringData'] : []);
  const costs = countBystanders(leaves, secret);
  for (const leaf of leaves) {
    if (secret.has(leaf.pointer) && !isCovered(leaf, names)) names.add(cheapestKey(leaf, costs));
  }
  const alternatives = [...names].sort().map(escapeExpression).join('|');
  return { regex: `^(${alternatives})$`, leaves: leaves.filter((leaf) => isCovered(leaf, names)) };
}

function isCovered(leaf: Leaf, names: ReadonlySet<string>): boolean {
  return leaf.keys.some((key) => names.has(key));
}

/** For each key, how much that is no secret would be encrypted with it. */
function countBystanders(leaves: readonly Leaf[], secret: ReadonlySet<string>): ReadonlyMap<string, number> {
  const costs = new Map<string, number>();
  for (const leaf of leaves) {
    if (secret.has(leaf.pointer)) continue;
    const cost = IDENTITY.has(leaf.pointer) ? IDENTITY_COST : 1;
    for (const key of new Set(leaf.keys)) costs.set(key, (costs.get(key) ?? 0) + cost);
  }
  return costs;
}

/** The last key wins a tie: what is added beside the secret later leaves it the cheapest. */
function cheapestKey(leaf: Leaf, costs: ReadonlyMap<string, number>): string {
  let cheapest = leaf.keys.at(-1) as string;
  for (const key of leaf.keys.toReversed()) {
    if ((costs.get(key) ?? 0) < (costs.get(cheapest) ?? 0)) cheapest = key;
  }
  return cheapest;
}

/** For Go's RE2, where a backslash makes any ASCII punctuation literal. */
function escapeExpression(key: string): string {
  return key.replace(/[!-/:-@[-^`{-~]/g, '\\$&');
}
