import { parseManifestPath } from '../core/manifest.ts';
import type { Resource, ResourceName } from '../core/object.ts';
import { CLUSTER_REPOSITORY, resourceName } from '../core/object.ts';
import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';

/**
 * What a complete list did not name is gone. Deletions are staged as swept: the guard at the window's end looks at them. `newer` names
 * repositories that know better than this list.
 */
export function sweepUnseen(
  spaces: Pick<Spaces, 'all'>,
  list: {
    readonly resource: Resource;
    readonly namespace: string | undefined;
    readonly seen: ReadonlySet<string>;
    readonly newer?: ReadonlySet<string>;
  },
  now: number,
): void {
  const name = resourceName(list.resource);
  for (const space of spacesOf(spaces, list.resource, list.namespace)) {
    if (list.newer?.has(space.name) === true) continue;
    for (const { path } of [...space.repository.files(name)]) {
      if (!list.seen.has(`${space.name}/${path}`)) stageSwept(space, name, path, now);
    }
  }
}

/** Sweeps a whole resource, for a reason that is known: its CustomResourceDefinition is gone. */
export function sweepResource(spaces: Spaces, resource: ResourceName, cause: string, now: number): number {
  let count = 0;
  for (const space of spaces.all()) {
    for (const { path } of [...space.repository.files(resource)]) {
      stageSwept(space, resource, path, now, cause);
      count++;
    }
  }
  return count;
}

function spacesOf(spaces: Pick<Spaces, 'all'>, resource: Resource, namespace: string | undefined): readonly Space[] {
  if (namespace !== undefined) return spaces.all().filter((space) => space.name === namespace);
  if (resource.namespaced || resourceName(resource) === 'namespaces') {
    return spaces.all().filter((space) => space.name !== CLUSTER_REPOSITORY);
  }
  return spaces.all().filter((space) => space.name === CLUSTER_REPOSITORY);
}

function stageSwept(space: Space, resource: ResourceName, path: string, now: number, cause?: string): void {
  if (space.repository.stagedId(path) === null) return;
  const name = parseManifestPath(path)?.name ?? path;
  const namespace = space.name === CLUSTER_REPOSITORY || resource === 'namespaces' ? {} : { namespace: space.name };
  const ref = { resource, name, ...namespace };
  space.stageDeletion(
    path,
    { ref, what: 'deleted', fields: [], actors: [], swept: true, ...(cause === undefined ? {} : { cause }) },
    now,
  );
}
