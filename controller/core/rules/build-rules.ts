import type { Condition, Rule, Verdict } from './rule.ts';

/** One rule per key of a map that all share verdict and reason: `keys` is rule id -> annotation (or label) key, a glob. */
export function annotationRules(
  keys: Readonly<Record<string, string>>,
  shared: { resources?: readonly string[]; verdict: Verdict; reason: string; when?: Condition; since?: string },
): readonly Rule[] {
  return rulesOfMap('/metadata/annotations', keys, shared);
}

export function labelRules(
  keys: Readonly<Record<string, string>>,
  shared: { resources?: readonly string[]; verdict: Verdict; reason: string; when?: Condition; since?: string },
): readonly Rule[] {
  return rulesOfMap('/metadata/labels', keys, shared);
}

function rulesOfMap(
  map: string,
  keys: Readonly<Record<string, string>>,
  shared: { resources?: readonly string[]; verdict: Verdict; reason: string; when?: Condition; since?: string },
): readonly Rule[] {
  return Object.entries(keys).map(([id, key]) => ({
    id,
    resources: ['*'],
    pointer: `${map}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    ...shared,
  }));
}

/** Whole resources that are not archived: rule id -> resources. */
export function neverRules(resources: Readonly<Record<string, readonly string[]>>, reason: string): readonly Rule[] {
  return Object.entries(resources).map(([id, names]) => ({
    id,
    resources: names,
    pointer: '',
    verdict: 'never' as const,
    reason,
  }));
}

/** 'clusterIPs' -> 'cluster-ips', for the id of a rule about a field. */
export function kebab(field: string): string {
  return field.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
}
