import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { buildBinary, type GoCommand } from './build-binary.ts';

/** The real programs that tests, demo and benches run on. */

export type BinaryName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kubectl'
  | 'sops'
  | 'gitea'
  | NodeBinaryName;

/** What a node needs besides; nobody else pays for them. */
export type NodeBinaryName =
  | 'kubelet'
  | 'kube-scheduler'
  | 'csi-provisioner'
  | 'csi-snapshotter'
  | 'snapshot-controller'
  | 'csi-driver';

const NODE = join(import.meta.dirname, '..', 'node');
/** Where csi-driver, the sidecars and the definitions of snapshots come from. */
export const STORAGE_MODULE = join(NODE, 'storage');

const KUBERNETES_VERSION = 'v1.36.3';

/** Without a stamped version the API server calls itself v0.0.0-master, which clients dislike. */
const KUBERNETES_FLAGS = [
  '-s -w',
  `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`,
  '-X k8s.io/component-base/version.gitMajor=1',
  '-X k8s.io/component-base/version.gitMinor=36',
].join(' ');

const COMMANDS: Readonly<Record<BinaryName, GoCommand>> = {
  etcd: kubernetes('go.etcd.io/etcd/server/v3'),
  'kube-apiserver': kubernetes('k8s.io/kubernetes/cmd/kube-apiserver'),
  'kube-controller-manager': kubernetes('k8s.io/kubernetes/cmd/kube-controller-manager'),
  kubectl: kubernetes('k8s.io/kubernetes/cmd/kubectl'),
  sops: {
    module: join(import.meta.dirname, 'tools'),
    package: 'github.com/getsops/sops/v3/cmd/sops',
    linkerFlags: '-s -w',
  },
  gitea: {
    // A module of its own: what Gitea pins with `replace` would hold back the others.
    module: join(import.meta.dirname, '..', 'forge', 'gitea'),
    package: 'code.gitea.io/gitea',
    linkerFlags: '-s -w -X main.Version=1.26.0',
    tags: 'sqlite sqlite_unlock_notify',
  },
  // A kubelet wants older CSI bindings than its sidecars.
  kubelet: kubernetes('k8s.io/kubernetes/cmd/kubelet', join(NODE, 'kubelet')),
  'kube-scheduler': kubernetes('k8s.io/kubernetes/cmd/kube-scheduler', join(NODE, 'kubelet')),
  'csi-provisioner': storage('github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner'),
  'csi-snapshotter': storage('github.com/kubernetes-csi/external-snapshotter/v8/cmd/csi-snapshotter'),
  'snapshot-controller': storage('github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller'),
  'csi-driver': { ...storage('./csi-driver'), sources: join(STORAGE_MODULE, 'csi-driver') },
};

/** What a folder named by KUBEBUILDER_ASSETS always holds; a controller manager is welcome there, else ours is built. */
const ASSETS: readonly BinaryName[] = ['etcd', 'kube-apiserver', 'kubectl'];

/**
 * The path of a program that can be run: from the folder that KUBEBUILDER_ASSETS names (setup-envtest's convention),
 * `kubectl` also from PATH, else built once from Go modules into the user's cache. Rejects with what is missing and how
 * to get it.
 */
export async function binary(name: BinaryName): Promise<string> {
  const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
  if (assets !== '') {
    const path = join(assets, name);
    if (await isExecutable(path)) return path;
    if (ASSETS.includes(name)) {
      throw new Error(`KUBEBUILDER_ASSETS names ${assets}, which holds no ${name}: unset it to build our own`);
    }
  }
  return (name === 'kubectl' ? await findInPath(name) : undefined) ?? buildBinary(name, COMMANDS[name]);
}

/**
 * As `binary`, but where KUBEBUILDER_ASSETS brings no controller manager and none can be built, a cluster does without
 * and says so.
 */
export async function findControllerManager(): Promise<string | undefined> {
  try {
    return await binary('kube-controller-manager');
  } catch (error) {
    if ((process.env['KUBEBUILDER_ASSETS'] ?? '') === '') throw error;
    const reason = 'KUBEBUILDER_ASSETS holds no kube-controller-manager and none could be built';
    process.stderr.write(`cluster: ${reason}: nothing collects garbage, scales or deletes namespaces\n`);
    return undefined;
  }
}

function kubernetes(path: string, module = join(import.meta.dirname, 'binaries')): GoCommand {
  return { module, package: path, linkerFlags: KUBERNETES_FLAGS };
}

function storage(path: string): GoCommand {
  return { module: STORAGE_MODULE, package: path, linkerFlags: '-s -w' };
}

async function findInPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
