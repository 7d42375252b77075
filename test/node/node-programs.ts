import { binary, type NodeBinaryName } from '../cluster/binaries.ts';
import { findPlugins, findProgram, missingForNode } from './requirements.ts';

export interface NodePrograms extends Readonly<Record<Built, string>> {
  readonly containerd: string;
  readonly ctr: string;
  readonly busybox: string;
  /** A folder. */
  readonly networkPlugins: string;
}

type Built = 'kubelet' | 'scheduler' | 'provisioner' | 'snapshotter' | 'snapshotController' | 'driver';

const BUILT: Readonly<Record<Built, NodeBinaryName>> = {
  driver: 'csi-driver',
  kubelet: 'kubelet',
  scheduler: 'kube-scheduler',
  provisioner: 'csi-provisioner',
  snapshotter: 'csi-snapshotter',
  snapshotController: 'snapshot-controller',
};

/** Builds what is not built yet, which takes minutes the first time; rejects with what the machine lacks. */
export async function findNodePrograms(): Promise<NodePrograms> {
  const missing = await missingForNode();
  if (missing !== false) throw new Error(`a node ${missing}`);
  // One after the other: each uses all processors.
  const built: Partial<Record<Built, string>> = {};
  for (const [name, from] of Object.entries(BUILT)) built[name as Built] = await binary(from);
  const [containerd = '', ctr = '', busybox = '', networkPlugins = ''] = await Promise.all([
    findProgram('containerd'),
    findProgram('ctr'),
    findProgram('busybox'),
    findPlugins(),
  ]);
  return { ...(built as Record<Built, string>), containerd, ctr, busybox, networkPlugins };
}
