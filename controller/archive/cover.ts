import { CLUSTER_REPOSITORY, type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Catalogue } from '../core/ports.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import type { Scope } from '../core/scope.ts';

interface Covered {
  /** What is listed. */
  readonly covered: readonly Resource[];
  /** What the rules never archive, so that it is not even listed. */
  readonly never: readonly { readonly resource: ResourceName; readonly reason: string }[];
}

/** What of a catalogue an archive covers. */
export function cover(catalogue: Pick<Catalogue, 'resources'>, scope: Scope, rules: RuleSet): Covered {
  const inScope = catalogue.resources.filter((one) => scope.includesResource(one) && hasRepository(scope, one));
  const never: { resource: ResourceName; reason: string }[] = [];
  const covered = inScope.filter((resource) => {
    const rule = rules.neverArchives(resourceName(resource));
    if (rule !== undefined) never.push({ resource: resourceName(resource), reason: rule.reason });
    return rule === undefined;
  });
  return { covered, never };
}

/** Cluster-scoped objects need their repository in scope; a Namespace lies in its own. */
function hasRepository(scope: Scope, resource: Resource): boolean {
  return resource.namespaced || resourceName(resource) === 'namespaces' || scope.includesRepository(CLUSTER_REPOSITORY);
}
