import { type Cluster, startCluster } from '../../test/cluster/start-cluster.ts';
import { fillNamespace, type Progress } from './fill-namespace.ts';

/** How many objects of about how many bytes lie in which namespaces. */
export interface WorldSize {
  readonly namespaces: readonly { readonly name: string; readonly objects: number }[];
  readonly bytes: number;
}

/** A real API server that holds them. No controller runs, so nothing but the bench changes anything. */
export interface World extends AsyncDisposable {
  readonly size: WorldSize;
  readonly cluster: Cluster;
}

/** Objects spread evenly over namespaces `bench-00`, `bench-01`, ... */
export function evenWorld(objects: number, namespaces: number, bytes: number): WorldSize {
  const digits = String(namespaces - 1).length;
  const each = Math.ceil(objects / namespaces);
  const name = (index: number) => `bench-${String(index).padStart(digits, '0')}`;
  return {
    namespaces: Array.from({ length: namespaces }, (_, index) => ({ name: name(index), objects: each })),
    bytes,
  };
}

export function countObjects(size: WorldSize): number {
  return size.namespaces.reduce((sum, { objects }) => sum + objects, 0);
}

/** Starts and fills it; a failure leaves nothing running. */
export async function openWorld(
  size: WorldSize,
  options: { readonly signal: AbortSignal; readonly tell: (text: string) => void },
): Promise<World> {
  const cluster = await startCluster({
    controllerManager: false,
    // A gigabyte of objects does not fit into the 2 GiB that etcd allows by default.
    etcdArgs: ['--quota-backend-bytes=8589934592'],
  });
  try {
    await fill(cluster, size, options);
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return { size, cluster, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function fill(
  cluster: Cluster,
  size: WorldSize,
  options: { readonly signal: AbortSignal; readonly tell: (text: string) => void },
): Promise<void> {
  const total = countObjects(size);
  const started = performance.now();
  let told = started;
  const progress: Progress = { done: 0 };
  for (const namespace of size.namespaces) {
    await fillNamespace(cluster, namespace, size.bytes, { signal: options.signal, progress });
    if (performance.now() - told < 5000) continue;
    told = performance.now();
    options.tell(`created ${progress.done} of ${total} objects`);
  }
  const seconds = (performance.now() - started) / 1000;
  options.tell(`created ${total} objects of about ${size.bytes} bytes in ${seconds.toFixed(0)} s`);
}
