import { NAMESPACES } from '../core/endpoints.ts';
import { nearestFirst } from '../core/nearest.ts';
import { resourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Catalogue, Cluster } from '../core/ports.ts';
import type { Scope } from '../core/scope.ts';
import { KeeperError } from '../errors.ts';

/** What was asked for by name and is not there: most likely a slip of the finger, so it is said and never passed over. */
export async function findMissing(cluster: Cluster, scope: Scope, catalogue: Catalogue): Promise<readonly Outcome[]> {
  const names = catalogue.resources.map(resourceName);
  const outcomes: Outcome[] = scope.unmatched(catalogue.resources).map((resource) => ({
    type: 'skipped',
    resource,
    reason: `The cluster serves no such resource; the nearest is ${nearestFirst(names, resource)[0]}`,
    code: 'RESOURCE_NOT_SERVED',
  }));
  for (const name of scope.literalNamespaces ?? []) {
    if (await exists(cluster, name)) continue;
    const reason = `There is no namespace "${name}"`;
    outcomes.push({ type: 'skipped', resource: 'namespaces', namespace: name, reason, code: 'OBJECT_NOT_FOUND' });
  }
  return outcomes;
}

/** Who may not look at the namespace itself may still be allowed to read what is in it. */
async function exists(cluster: Cluster, name: string): Promise<boolean> {
  try {
    return (await cluster.get(NAMESPACES, { name })) !== undefined;
  } catch (error) {
    if (error instanceof KeeperError && error.code === 'RESOURCE_FORBIDDEN') return true;
    throw error;
  }
}
