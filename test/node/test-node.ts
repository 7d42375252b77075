import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { type ClaimOptions, claim, pod, volumeSnapshot } from './objects.ts';
import { type Node, type NodeOptions, startNode } from './start-node.ts';

/** A cluster with a node, and the few steps that every test of data takes. */
export interface TestNode extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly node: Node;
  createNamespace(name: string): Promise<void>;
  createClaim(namespace: string, name: string, options?: ClaimOptions): Promise<void>;
  /** Resolves when it is ready; see `pod`. */
  runPod(namespace: string, name: string, claims: readonly string[], devices?: readonly string[]): Promise<void>;
  /** Resolves with the driver's handle when the snapshot can be used. */
  snapshot(namespace: string, name: string, ofClaim: string, snapshotClass?: string): Promise<string>;
  /** Resolves when `path` of it is `value`: kubectl's wait, in words like `volumesnapshot/NAME`. */
  waitFor(namespace: string, object: string, path: string, value: string, seconds?: number): Promise<void>;
  /** Resolves when it is gone. */
  remove(namespace: string, ...objects: readonly string[]): Promise<void>;
  /** The value at a path of an object; empty when there is none. */
  read(namespace: string, object: string, path: string): Promise<string>;
}

const PATIENCE_S = 60;

export async function startTestNode(options: NodeOptions = {}): Promise<TestNode> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster());
  const node = stack.use(await startNode(cluster, options));
  const waitFor: TestNode['waitFor'] = async (namespace, object, path, value, seconds = PATIENCE_S) => {
    const condition = `--for=jsonpath={${path}}=${value}`;
    await cluster.kubectl(['wait', object, '--namespace', namespace, condition, `--timeout=${seconds}s`]);
  };
  const read: TestNode['read'] = (namespace, object, path) =>
    cluster.kubectl(['get', object, '--namespace', namespace, '-o', `jsonpath={${path}}`]);
  const held = stack.move();
  return {
    cluster,
    node,
    waitFor,
    read,
    createNamespace: async (name) => {
      await cluster.kubectl(['create', 'namespace', name]);
      // Its pods are refused until they can have an identity.
      await cluster.kubectl(['wait', 'serviceaccount/default', '-n', name, '--for=create', `--timeout=${PATIENCE_S}s`]);
    },
    createClaim: async (namespace, name, claimOptions) => {
      await cluster.apply(claim(namespace, name, claimOptions));
    },
    runPod: async (namespace, name, claims, devices) => {
      await cluster.apply(pod(namespace, name, node.busybox, claims, devices));
      await node.waitForPod(namespace, name);
    },
    snapshot: async (namespace, name, ofClaim, snapshotClass) => {
      await cluster.apply(volumeSnapshot(namespace, name, ofClaim, snapshotClass));
      await waitFor(namespace, `volumesnapshot/${name}`, '.status.readyToUse', 'true');
      const content = await read(namespace, `volumesnapshot/${name}`, '.status.boundVolumeSnapshotContentName');
      return read(namespace, `volumesnapshotcontent/${content}`, '.status.snapshotHandle');
    },
    remove: async (namespace, ...objects) => {
      await cluster.kubectl(['delete', ...objects, '--namespace', namespace, `--timeout=${PATIENCE_S}s`]);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
