import { randomBytes, randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openControlPlane } from '../cluster/control-plane.ts';
import type { Cluster } from '../cluster/start-cluster.ts';
import { type Faults, openFaults } from './faults.ts';
import { type Image, writeBusyboxRoot, writeImageArchive } from './images.ts';
import { containerdSocket, PAUSE_IMAGE, type Place, writeNodeFiles } from './node-files.ts';
import { openNodeProcesses } from './node-processes.ts';
import { findNodePrograms, type NodePrograms } from './node-programs.ts';
import { createPods, type Pods } from './pods.ts';
import { waitForDefinitions, waitForNode } from './readiness.ts';
import { run } from './run.ts';
import { readDefinitions, storageObjects } from './storage-objects.ts';
import { readStored, type StoredSnapshot, type StoredVolume } from './stored.ts';
import { LEAVE, namesOf, sweepNodes } from './sweep.ts';

/** A real node for a cluster: containerd, kubelet, scheduler, and storage that makes snapshots; gone with its holder. */

export interface NodeOptions {
  /** What all volumes and snapshots have together, 16 GiB unless told; a file with holes, so it costs what is written. */
  readonly diskBytes?: number;
  /** Whether the cluster knows groups of snapshots; true unless told. */
  readonly groupSnapshots?: boolean;
}

export interface Node extends Pods, AsyncDisposable {
  readonly name: string;
  /** Holds everything, logs too; removed at the end. */
  readonly directory: string;
  readonly readyMs: number;
  /** The process that ends all others, also when this one is killed. */
  readonly supervisorPid: number;
  /** Of the CSI driver. */
  readonly faults: Faults;
  /** The image of busybox that is there from the start: a shell, and the small tools. */
  readonly busybox: string;
  /** Makes an image known by `name`; pods that use it need `imagePullPolicy: Never` or a tag other than `latest`. */
  image(name: string, image: Image): Promise<void>;
  /** What the driver really has. */
  snapshots(): Promise<readonly StoredSnapshot[]>;
  volumes(): Promise<readonly StoredVolume[]>;
  /** Kills the CSI driver and its sidecars, and starts them again. */
  restartDriver(): Promise<void>;
  /** The end of a process's log, like `csi-driver`, `kubelet`, `csi-snapshotter`. */
  log(process: string): Promise<string>;
}

const NAME = 'node-1';

/**
 * What a node may read besides is decided by a graph of pods and their objects, which may know a pod later than the
 * kubelet does; that then waits for some 15 s before it asks again.
 */
const NODE_RIGHTS = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'test-nodes' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
};
const DISK_BYTES = 16 * 2 ** 30;

/**
 * Resolves when pods run on the node and claims are served. The first call builds for minutes. Rejects with what the
 * machine lacks, or with the end of the log of what did not start.
 */
export async function startNode(cluster: Cluster, options: NodeOptions = {}): Promise<Node> {
  const { diskBytes = DISK_BYTES, groupSnapshots: groups = true } = options;
  const programs = await findNodePrograms();
  const definitions = await readDefinitions(groups);
  const started = performance.now();
  await sweepNodes();
  await using stack = new AsyncDisposableStack();
  const place = choosePlace();
  const { directory } = place;
  const plane = stack.use(await openControlPlane(directory));
  await plane.finally(['sh', LEAVE, place.id, place.bridge]);
  await writeNodeFiles(place, programs.networkPlugins, cluster.authority);
  await addBridge(place);
  const { kubeconfig } = cluster;
  const processes = await openNodeProcesses(plane, place, programs, { kubeconfig, diskBytes, groups });
  const image = (name: string, what: Image) => importImage(place, programs, name, what);
  const identities = Promise.all([
    cluster.createCertificateUser(`system:node:${NAME}`, ['system:nodes']),
    cluster.createCertificateUser('system:kube-scheduler'),
  ]);
  await Promise.all([
    processes.startContainerd().then(() => importBusybox(place, programs)),
    processes.startDrivers(),
    identities.then(([, scheduler]) => processes.startScheduler(scheduler)),
    defineStorage(cluster, definitions, groups),
    cluster.apply(NODE_RIGHTS),
  ]);
  await processes.startControllers();
  await processes.startKubelet((await identities)[0]);
  await waitForNode(cluster, plane, NAME);
  const readyMs = performance.now() - started;
  const folder = join('/proc', String(processes.worldPid), 'root', 'run', place.id);
  const held = stack.move();
  return {
    ...createPods(cluster),
    name: NAME,
    directory,
    readyMs,
    supervisorPid: plane.pids['supervisor'] ?? 0,
    faults: openFaults(directory),
    busybox: PAUSE_IMAGE,
    image,
    snapshots: async () => (await readStored(folder)).snapshots,
    volumes: async () => (await readStored(folder)).volumes,
    restartDriver: () => processes.restartDriver(),
    log: (process) => plane.log(process),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function choosePlace(): Place {
  const names = namesOf(randomBytes(6).toString('hex'));
  const taken = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  for (;;) {
    const network = `10.${randomInt(100, 250)}.${randomInt(0, 256)}`;
    if (taken.some(({ address }) => address.startsWith(`${network}.`))) continue;
    return { ...names, name: NAME, directory: join(tmpdir(), names.id), network, address: `${network}.1` };
  }
}

async function addBridge({ bridge, address }: Place): Promise<void> {
  await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${address}/24`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
}

async function defineStorage(cluster: Cluster, definitions: readonly object[], groups: boolean): Promise<void> {
  await Promise.all(definitions.map((definition) => cluster.apply(definition)));
  await waitForDefinitions(cluster, definitions);
  await Promise.all(storageObjects(groups).map((object) => cluster.apply(object)));
}

async function importBusybox(place: Place, programs: NodePrograms): Promise<void> {
  const root = join(place.directory, 'busybox');
  await mkdir(root);
  await writeBusyboxRoot(root, programs.busybox);
  await importImage(place, programs, PAUSE_IMAGE, { root });
}

async function importImage({ directory }: Place, { ctr }: NodePrograms, name: string, image: Image): Promise<void> {
  const archive = join(directory, `${randomBytes(4).toString('hex')}.image.tar`);
  await writeImageArchive(archive, name, image);
  const address = ['--address', containerdSocket(directory), '--namespace', 'k8s.io'];
  await run(ctr, [...address, 'images', 'import', archive]);
}
