import { type Connection, connect } from '../../controller/cluster/connect.ts';
import { openRestoreTarget } from '../../controller/cluster/open-restore-target.ts';
import type { KubeObject } from '../../controller/core/object.ts';
import type { RestoreTarget } from '../../controller/core/restore/ports.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../cluster/start-cluster.ts';
import type { Wanted } from './hand-plan.ts';

/** A real cluster as a restore sees it, and the small objects that are restored into it. */
export interface TargetCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly target: RestoreTarget;
  /** As the administrator; undefined when it does not live. */
  live(path: string): Promise<KubeObject | undefined>;
}

export async function startTarget(options?: ClusterOptions): Promise<TargetCluster> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster(options));
  const connection: Connection = stack.use(await connect({ kubeconfig: cluster.kubeconfig }));
  const held = stack.move();
  return {
    cluster,
    target: openRestoreTarget(connection),
    live: async (path) => {
      const { status, text } = await cluster.request('GET', path);
      return status === 200 ? (JSON.parse(text) as KubeObject) : undefined;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

export function map(namespace: string, name: string, data: Record<string, string> = { key: 'value' }): Wanted {
  return { object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data } };
}

export function space(name: string): Wanted {
  return { object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } };
}

/** Rejects when it has not come true in ten seconds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited for ${what}`);
}
