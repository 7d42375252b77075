import { type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Catalogue } from '../core/ports.ts';
import type { GroupVersion } from './discovery-groups.ts';

/** Where the server's own order of preference is not what an archive wants: v1 hides most of an autoscaler in annotations. */
const PREFERRED: ReadonlyMap<ResourceName, string> = new Map([['horizontalpodautoscalers.autoscaling', 'v2']]);

/** Every listable resource once, in the pinned version as long as it is served, else in the preferred one. */
export function buildCatalogue(
  groups: readonly GroupVersion[],
  pinned: ReadonlyMap<ResourceName, string> = new Map(),
): Catalogue {
  const versions = new Map<ResourceName, Resource[]>();
  for (const resource of groups.flatMap((group) => group.resources)) {
    if (!resource.verbs.includes('list')) continue;
    const name = resourceName(resource);
    versions.set(name, [...(versions.get(name) ?? []), resource]);
  }
  const resources: Resource[] = [];
  const served = new Map<ResourceName, readonly string[]>();
  for (const [name, candidates] of versions) {
    const preferred = find(candidates, PREFERRED.get(name)) ?? candidates[0];
    if (preferred === undefined) continue;
    served.set(name, [...new Set([preferred, ...candidates].map(({ version }) => version))]);
    const pin = pinned.get(name);
    // Its pinned version is only out of reach: another one would rewrite every file for that while.
    if (pin !== undefined && groups.some((gap) => isGapOf(gap, preferred.group, pin))) continue;
    resources.push(find(candidates, pin) ?? preferred);
  }
  return { resources, unavailable: groups.flatMap(gapOf), served };
}

function find(candidates: readonly Resource[], version: string | undefined): Resource | undefined {
  return candidates.find((candidate) => candidate.version === version);
}

function isGapOf(groupVersion: GroupVersion, group: string, version: string): boolean {
  return groupVersion.unavailable !== undefined && groupVersion.group === group && groupVersion.version === version;
}

function gapOf({ group, version, unavailable }: GroupVersion): Catalogue['unavailable'] {
  return unavailable === undefined ? [] : [{ group, version, reason: unavailable }];
}

/** Equal texts, equal catalogues; the order in which the server names things says nothing. */
export function fingerprintCatalogue(catalogue: Catalogue): string {
  const lines = [
    ...catalogue.resources.map((resource) => JSON.stringify({ ...resource, verbs: [...resource.verbs].sort() })),
    ...catalogue.unavailable.map(({ group, version }) => JSON.stringify([group, version])),
    ...[...catalogue.served].map((entry) => JSON.stringify(entry)),
  ];
  return lines.sort().join('\n');
}
