import type { Cluster } from '../../test/cluster/start-cluster.ts';
import { type Generated, generateObject } from './generate-object.ts';

export interface Progress {
  done: number;
}

/** More only makes the API server wait for itself. */
const AT_ONCE = 16;

/** Creates a namespace and its generated objects. Throws at the first that the API server refuses. */
export async function fillNamespace(
  cluster: Cluster,
  namespace: { readonly name: string; readonly objects: number },
  bytes: number,
  options: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<void> {
  const { name, objects } = namespace;
  await create(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  let next = 0;
  const lane = async () => {
    while (next < objects) {
      options.signal.throwIfAborted();
      const { object, kind } = generateObject(name, next++, bytes);
      await create(cluster, collectionPath(kind, name), object);
      options.progress.done++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

export function objectPath({ kind, namespace, name }: Generated): string {
  return `${collectionPath(kind, namespace)}/${name}`;
}

function collectionPath(kind: Generated['kind'], namespace: string): string {
  const root = kind.apiVersion.includes('/') ? '/apis' : '/api';
  return `${root}/${kind.apiVersion}/namespaces/${namespace}/${kind.plural}`;
}

async function create(cluster: Cluster, path: string, object: object): Promise<void> {
  const answer = await cluster.request('POST', path, object);
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
}
