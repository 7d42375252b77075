import type { Cluster } from '../../test/cluster/start-cluster.ts';

/** Where the list of each resource is read: `deployments.apps` -> `/apis/apps/v1/deployments`. Preferred versions. */
export async function listPaths(cluster: Cluster): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  await addResources(cluster, '/api/v1', '', paths);
  const { groups } = await get<GroupList>(cluster, '/apis');
  for (const { name, preferredVersion } of groups) {
    await addResources(cluster, `/apis/${preferredVersion.groupVersion}`, `.${name}`, paths);
  }
  return paths;
}

interface GroupList {
  readonly groups: readonly { readonly name: string; readonly preferredVersion: { readonly groupVersion: string } }[];
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

async function addResources(cluster: Cluster, root: string, suffix: string, paths: Map<string, string>): Promise<void> {
  const { resources } = await get<ResourceList>(cluster, root);
  for (const { name, verbs } of resources) {
    if (verbs.includes('list')) paths.set(`${name}${suffix}`, `${root}/${name}`);
  }
}

async function get<Answer>(cluster: Cluster, path: string): Promise<Answer> {
  const answer = await cluster.request('GET', path);
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
  return JSON.parse(answer.text) as Answer;
}
