import { arrayAt, type KubeObject, objectAt, type ResourceName } from '../object.ts';
import { oneLine } from '../words.ts';
import { parseQuantity, renderQuantity } from './quantity.ts';
import { demandOf } from './quota-demand.ts';

/** Each new object alone may fit a quota, and all of them not: the server's dry run counts nothing together. */

interface Limit {
  readonly quota: string;
  readonly name: string;
  readonly hard: bigint;
  left: bigint;
}

/**
 * The created objects, in the order in which they are made, that go beyond a quota of their namespace, with the reason: RESOURCE/NAME
 * -> words. What does not fit counts nothing. Quotas with scopes are left to the server. `quotas` as they live, with their status.
 */
export function quotaProblems(
  quotas: readonly KubeObject[],
  created: readonly { readonly resource: ResourceName; readonly object: KubeObject }[],
): ReadonlyMap<string, string> {
  const limits = Map.groupBy(quotas.flatMap(limitsOf), ({ name }) => name);
  const problems = new Map<string, string>();
  if (limits.size === 0) return problems;
  for (const { resource, object } of created) {
    const demanded = [...demandOf(resource, object)].flatMap(([name, amount]) =>
      (limits.get(name) ?? []).map((limit) => ({ limit, amount })),
    );
    const exceeded = demanded.find(({ limit, amount }) => amount > 0n && amount > limit.left);
    if (exceeded === undefined) for (const { limit, amount } of demanded) limit.left -= amount;
    else problems.set(`${resource}/${object.metadata.name}`, describe(exceeded.limit, exceeded.amount));
  }
  return problems;
}

function limitsOf(quota: KubeObject): readonly Limit[] {
  const [spec, status] = [objectAt(quota, 'spec'), objectAt(quota, 'status')];
  if (arrayAt(spec, 'scopes').length > 0 || objectAt(spec, 'scopeSelector') !== undefined) return [];
  const hard = objectAt(status, 'hard') ?? objectAt(spec, 'hard') ?? {};
  const used = objectAt(status, 'used') ?? {};
  return Object.entries(hard).flatMap(([name, value]) => {
    const most = parseQuantity(value);
    if (most === undefined) return [];
    const left = most - (parseQuantity(Object.hasOwn(used, name) ? used[name] : undefined) ?? 0n);
    return [{ quota: quota.metadata.name, name, hard: most, left }];
  });
}

function describe({ quota, name, hard, left }: Limit, amount: bigint): string {
  const rest = left > 0n ? renderQuantity(left) : 'nothing';
  return `quota ${oneLine(quota)} has no room: ${oneLine(name)} is limited to ${renderQuantity(hard)}, ${rest} is left, and it needs ${renderQuantity(amount)}`;
}
