import { NAMESPACES } from '../core/endpoints.ts';
import { CLUSTER_REPOSITORY, type Resource, stringAt } from '../core/object.ts';
import type { Cluster } from '../core/ports.ts';
import type { Scope } from '../core/scope.ts';
import { sideBySide } from '../core/streams.ts';
import { KeeperError } from '../errors.ts';
import type { Spaces } from './spaces.ts';

/** Remotes are asked side by side, as many as are pushed to. */
const SIDE_BY_SIDE = 8;

/**
 * Opens the repositories that lie at the remote and not here, before anything is listed: on an empty disk the namespaces say which
 * there may be. So API versions stay as they were chosen, and a list deletes what went meanwhile. Where nothing is found, nothing is made.
 */
export async function recallSpaces(
  remote: { hasHistory(name: string, uid: string): Promise<boolean> },
  spaces: Spaces,
  world: { readonly cluster: Cluster; readonly scope: Scope; readonly signal: AbortSignal },
): Promise<void> {
  const uids = new Map([[CLUSTER_REPOSITORY, ''], ...(await listNamespaces(world.cluster, world.signal))]);
  const lacking = [...uids].filter(([name]) => world.scope.includesRepository(name) && spaces.get(name) === undefined);
  await sideBySide(lacking, SIDE_BY_SIDE, async ([name, uid]) => {
    if (await remote.hasHistory(name, uid)) await spaces.open(name);
  });
}

/** With their uids. None where they may not be listed: then each repository is asked for when its first object comes. */
async function listNamespaces(cluster: Cluster, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const resource: Resource = { ...NAMESPACES, kind: 'Namespace', verbs: ['list'] };
  const uids = new Map<string, string>();
  try {
    for await (const change of cluster.listWatch(resource, { signal, once: true })) {
      if (change.type !== 'applied') continue;
      const { metadata } = change.object;
      uids.set(metadata.name, stringAt(metadata, 'uid') ?? '');
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof KeeperError && error.kind !== 'defect')) throw error;
  }
  return uids;
}
