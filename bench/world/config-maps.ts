import type { Cluster } from '../../test/cluster/start-cluster.ts';
import { objectPath } from './fill-namespace.ts';
import { type Generated, generateObject } from './generate-object.ts';

/** The ConfigMaps of a generated namespace: what benches change. */
export function configMapsOf(namespace: { readonly name: string; readonly objects: number }): readonly Generated[] {
  const all = Array.from({ length: namespace.objects }, (_, index) => generateObject(namespace.name, index, 0));
  return all.filter(({ kind }) => kind.kind === 'ConfigMap');
}

/** One key of one ConfigMap gets a new value, as an edit by hand would do. Throws when the API server refuses. */
export async function changeConfigMap(cluster: Cluster, target: Generated, revision: string): Promise<void> {
  const path = `${objectPath(target)}?fieldManager=bench`;
  const answer = await cluster.request('PATCH', path, { data: { revision } }, 'application/merge-patch+json');
  if (answer.status !== 200) throw new Error(`PATCH ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
}
