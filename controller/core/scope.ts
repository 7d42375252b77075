import { compileGlobs } from './glob.ts';
import { CLUSTER_REPOSITORY, type Resource, resourceName } from './object.ts';

/** What an archive covers: which repositories (namespaces and `_cluster`) and which resources. */

export interface ScopeOptions {
  /** Globs of namespaces; `_cluster` stands for the cluster-scoped objects. Empty: everything. */
  readonly namespaces: readonly string[];
  readonly excludeNamespaces: readonly string[];
  /** As kubectl spells them: `deployments.apps`, `deployments`, `deploy`; globs too. Empty: everything. */
  readonly resources: readonly string[];
  readonly excludeResources: readonly string[];
  /** A label selector, evaluated by the server. */
  readonly selector?: string;
}

export interface Scope {
  readonly selector: string | undefined;
  /** The namespaces when all were given by name, so that they can be read one by one with rights in them alone. */
  readonly literalNamespaces: readonly string[] | undefined;
  includesRepository(name: string): boolean;
  includesResource(resource: Resource): boolean;
  /** The asked-for resources that nothing served fits. */
  unmatched(served: readonly Resource[]): readonly string[];
}

/** Beyond this many, one watch of everything is cheaper than a watch in each namespace. */
const MOST_LITERAL_NAMESPACES = 8;

export function compileScope(options: ScopeOptions): Scope {
  const included = compileGlobs(options.namespaces);
  const excluded = compileGlobs(options.excludeNamespaces);
  const wanted = options.resources.map((spelling) => ({ spelling, fits: compileSpelling(spelling) }));
  const unwanted = options.excludeResources.map(compileSpelling);
  return {
    selector: options.selector,
    literalNamespaces: literalNamespaces(options.namespaces, excluded),
    includesRepository: (name) => (options.namespaces.length === 0 || included(name)) && !excluded(name),
    includesResource: (resource) =>
      (wanted.length === 0 || wanted.some((one) => one.fits(resource))) && !unwanted.some((fits) => fits(resource)),
    unmatched: (served) => wanted.filter((one) => !served.some(one.fits)).map((one) => one.spelling),
  };
}

/** A spelling without a dot also names a plural, singular or short name in any group, as with kubectl. */
function compileSpelling(spelling: string): (resource: Resource) => boolean {
  const fits = compileGlobs([spelling.toLowerCase()]);
  const short = !spelling.includes('.');
  return (resource) =>
    fits(resourceName(resource)) ||
    (short &&
      (fits(resource.plural) ||
        resource.singular === spelling.toLowerCase() ||
        (resource.shortNames ?? []).includes(spelling.toLowerCase())));
}

function literalNamespaces(
  namespaces: readonly string[],
  excluded: (name: string) => boolean,
): readonly string[] | undefined {
  if (namespaces.length === 0 || namespaces.length > MOST_LITERAL_NAMESPACES) return undefined;
  if (namespaces.some((name) => /[*?]/.test(name) || name === CLUSTER_REPOSITORY)) return undefined;
  return namespaces.filter((name) => !excluded(name));
}
