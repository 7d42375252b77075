import { parseResourceName, type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Catalogue, Cluster } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import type { Spaces } from './spaces.ts';
import { sweepResource } from './sweep.ts';

/**
 * A resource that is no longer served says nothing about its objects. Only a CustomResourceDefinition that we archived and that
 * the server says does not exist any more proves that they are gone; else the files stay and the gap is reported.
 */

const DEFINITIONS = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  namespaced: false,
};

/** Is this the resource of CustomResourceDefinitions? */
export function isDefinition(resource: Resource): boolean {
  return resource.plural === DEFINITIONS.plural && resource.group === DEFINITIONS.group;
}

/** Measurements: nothing of theirs is ever archived, so their being down is no gap. */
const METRICS = /(?:^|\.)metrics\.k8s\.io$/;

/** What it serves is not known while it is down, so the gap is named by its group. */
function groupGap({ group, reason }: Catalogue['unavailable'][number]): Outcome {
  return { type: 'skipped', resource: `*.${group}`, reason, code: 'RESOURCE_UNAVAILABLE' };
}

type DefinitionState = 'deleted' | 'being deleted' | 'there' | 'unknown';

/** What the server says of the CustomResourceDefinition of a resource. */
async function definitionState(cluster: Cluster, resource: ResourceName): Promise<DefinitionState> {
  if (!resource.includes('.')) return 'unknown';
  try {
    const definition = await cluster.get(DEFINITIONS, { name: resource });
    if (definition === undefined) return 'deleted';
    return definition.metadata['deletionTimestamp'] === undefined ? 'there' : 'being deleted';
  } catch (error) {
    // Not to know is an answer here: it explains nothing and deletes nothing.
    if (error instanceof KeeperError) return 'unknown';
    throw error;
  }
}

/** Why the objects of a resource went, for a commit's message; undefined when nothing but themselves was deleted. */
export async function causeOfDeletion(
  cluster: Cluster,
  catalogue: Catalogue,
  resource: ResourceName,
): Promise<string | undefined> {
  const state = await definitionState(cluster, resource);
  if (state === 'being deleted') return `CustomResourceDefinition ${resource} deleted`;
  return state === 'deleted' && !catalogue.served.has(resource)
    ? `CustomResourceDefinition ${resource} deleted`
    : undefined;
}

/** Looks at every archived resource that the catalogue lacks. `wasDefinition` tells those that we know as custom ones. */
export async function sweepVanished(
  parts: {
    readonly cluster: Cluster;
    readonly spaces: Spaces;
    readonly catalogue: Catalogue;
    readonly isCovered: (resource: ResourceName) => boolean;
    readonly isKnownDefinition: (resource: ResourceName) => boolean;
  },
  now: number,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = parts.catalogue.unavailable.filter(({ group }) => !METRICS.test(group)).map(groupGap);
  const unavailable = new Map(parts.catalogue.unavailable.map((gap) => [gap.group, gap.reason]));
  for (const resource of archivedResources(parts.spaces)) {
    if (parts.catalogue.served.has(resource) || !parts.isCovered(resource)) continue;
    const reason = unavailable.get(parseResourceName(resource).group);
    if (reason === undefined && parts.isKnownDefinition(resource)) {
      if ((await definitionState(parts.cluster, resource)) === 'deleted') {
        sweepResource(parts.spaces, resource, `CustomResourceDefinition ${resource} deleted`, now);
        continue;
      }
    }
    outcomes.push({
      type: 'skipped',
      resource,
      reason: reason ?? 'The cluster no longer serves it; its files are kept as they were',
      code: reason === undefined ? 'RESOURCE_NOT_SERVED' : 'RESOURCE_UNAVAILABLE',
    });
  }
  return outcomes;
}

/** Every resource with a file in any open repository. */
function archivedResources(spaces: Spaces): ReadonlySet<ResourceName> {
  return new Set(
    spaces.all().flatMap((space) => space.repository.directories().filter((name) => !name.startsWith('.'))),
  );
}

/** A resource as the scope sees it, when the cluster no longer describes it. */
export function describeVanished(name: ResourceName): Resource {
  const { group, plural } = parseResourceName(name);
  return { group, plural, version: '', kind: '', namespaced: true, verbs: [] };
}

/** The definition's file in the repository of cluster-scoped objects. */
export function definitionPath(resource: ResourceName): string {
  return `${resourceName(DEFINITIONS)}/${resource}.json`;
}
