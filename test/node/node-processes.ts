import { access, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { containerdSocket, type Place } from './node-files.ts';
import type { NodePrograms } from './node-programs.ts';
import { DRIVER, PLAIN_DRIVER } from './storage-objects.ts';

/** How the processes of a node are called, and in which order they can be. */

export interface NodeProcesses {
  /** The first process of the node's namespaces, as the machine counts: its mounts are below /proc/PID/root. */
  readonly worldPid: number;
  startContainerd(): Promise<void>;
  /** With the cluster's identity of a node, a kubeconfig file. */
  startKubelet(kubeconfig: string): Promise<void>;
  startScheduler(kubeconfig: string): Promise<void>;
  /** Both drivers; they come up without a cluster. */
  startDrivers(): Promise<void>;
  /** As when its pod is started anew: its sidecars come with it. */
  restartDriver(): Promise<void>;
  /** What carries claims and snapshots between the cluster and the drivers; needs the definitions of snapshots. */
  startControllers(): Promise<void>;
}

const LONGEST_MS = 60_000;
const POLL_MS = 20;
const ENTER = join(import.meta.dirname, 'enter.sh');

/** Requests a second: the programs' own 5 would make every test wait. */
const HURRY = ['--kube-api-qps=100', '--kube-api-burst=200'];
/** A failure is tried again within a test's patience, instead of after up to five minutes. */
const RETRY = ['--retry-interval-start=500ms', '--retry-interval-max=4s'];

export async function openNodeProcesses(
  plane: ControlPlane,
  place: Place,
  programs: NodePrograms,
  { kubeconfig, diskBytes, groups }: { kubeconfig: string; diskBytes: number; groups: boolean },
): Promise<NodeProcesses> {
  const { id, directory } = place;
  const worldPid = await startWorld(plane, place, diskBytes);
  const outside = (name: string, ...command: string[]) => plane.start(name, ['sh', ENTER, id, '-', ...command]);
  const inside = (name: string, ...command: string[]) =>
    plane.start(name, ['sh', ENTER, id, String(worldPid), ...command]);
  const socket = (driver: string) => join(directory, 'kubelet', 'plugins', driver, 'csi.sock');
  const startDriver = async (process: string, name: string, ...flags: string[]) => {
    const freezer = await freezerOf(id);
    const folder = join('/run', id, ...(name === DRIVER ? [] : ['plain', id]));
    const where = [`--folder=${folder}`, `--faults=${join(directory, 'faults.json')}`, `--freezer=${freezer}`];
    await inside(process, programs.driver, `--name=${name}`, `--node=${place.name}`, ...where, ...flags);
    await waitForFile(plane, process, socket(name));
  };
  const startMainDriver = () => startDriver('csi-driver', DRIVER, `--groups=${groups}`, `--kubeconfig=${kubeconfig}`);
  const own = `--kubeconfig=${kubeconfig}`;
  const gates = `--feature-gates=CSIVolumeGroupSnapshot=${groups}`;
  const startSidecar = (process: string, program: string, driver: string, ...flags: string[]) => {
    // Its path outside may be longer than a socket's may be.
    const inner = join('/var/lib/kubelet/plugins', driver, 'csi.sock');
    const common = [own, `--csi-address=${inner}`, '--extra-create-metadata', '--timeout=60s'];
    return inside(process, program, ...common, ...HURRY, ...RETRY, ...flags);
  };
  const sidecars: Readonly<Record<string, () => Promise<void>>> = {
    'csi-provisioner': () => startSidecar('csi-provisioner', programs.provisioner, DRIVER),
    'csi-snapshotter': () => startSidecar('csi-snapshotter', programs.snapshotter, DRIVER, gates),
  };
  return {
    worldPid,
    startContainerd: async () => {
      await inside('containerd', programs.containerd, '--config', join(directory, 'containerd.toml'));
      await waitForFile(plane, 'containerd', containerdSocket(directory));
    },
    startKubelet: (own) =>
      inside(
        'kubelet',
        programs.kubelet,
        `--config=${join(directory, 'kubelet.json')}`,
        `--kubeconfig=${own}`,
        `--hostname-override=${place.name}`,
        `--node-ip=${place.address}`,
      ),
    startScheduler: (own) =>
      outside('kube-scheduler', programs.scheduler, `--kubeconfig=${own}`, '--secure-port=0', '--leader-elect=false'),
    startDrivers: async () => {
      await Promise.all([startMainDriver(), startDriver('csi-driver-plain', PLAIN_DRIVER, '--snapshots=false')]);
    },
    restartDriver: async () => {
      // The old socket would look like the new one.
      for (const process of [...Object.keys(sidecars), 'csi-driver']) await plane.stop(process);
      await rm(socket(DRIVER), { force: true });
      await startMainDriver();
      for (const start of Object.values(sidecars)) await start();
    },
    startControllers: async () => {
      await Promise.all([
        ...Object.values(sidecars).map((start) => start()),
        startSidecar('csi-provisioner-plain', programs.provisioner, PLAIN_DRIVER),
        outside('snapshot-controller', programs.snapshotController, own, gates, ...HURRY, ...RETRY),
      ]);
    },
  };
}

async function startWorld(plane: ControlPlane, { id, directory }: Place, diskBytes: number): Promise<number> {
  const world = ['sh', join(import.meta.dirname, 'world.sh'), id, directory, String(diskBytes)];
  await plane.start('world', ['sh', ENTER, id, '-', 'unshare', ...UNSHARED, ...world]);
  await waitForFile(plane, 'world', join(directory, 'ready'));
  const parent = plane.pids['world'] ?? 0;
  return Number((await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim());
}

const UNSHARED = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];

/** Where the kubelet puts the processes of pods, in whichever version of control groups. */
async function freezerOf(id: string): Promise<string> {
  const first = '/sys/fs/cgroup/freezer';
  const hierarchy = await access(first).then(
    () => first,
    () => '/sys/fs/cgroup',
  );
  return join(hierarchy, id, 'kubepods');
}

async function waitForFile(plane: ControlPlane, process: string, path: string): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  while (
    !(await access(path).then(
      () => true,
      () => false,
    ))
  ) {
    if (!plane.isRunning(process)) throw new Error(`${process} ended: ${await plane.log(process)}`);
    if (performance.now() > deadline) throw new Error(`${process} is not ready: ${await plane.log(process)}`);
    await sleep(POLL_MS);
  }
}
