import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What one node is called and where it is; all names in the kernel hold `id`, so that a sweep finds them. */
export interface Place {
  readonly id: string;
  readonly name: string;
  /** Holds everything; removed at the end. */
  readonly directory: string;
  readonly bridge: string;
  /** Of the node, on the bridge. */
  readonly address: string;
  /** Of the pods, without the last number: `10.140.3`. */
  readonly network: string;
}

export const PAUSE_IMAGE = 'kubekeeper.dev/test/busybox:1';

/** Writes what containerd, the network plugins and the kubelet read. */
export async function writeNodeFiles(place: Place, plugins: string, authority: string): Promise<void> {
  const { directory } = place;
  await mkdir(join(directory, 'cni'));
  await writeFile(join(directory, 'containerd.toml'), containerdConfig(directory, plugins));
  await writeFile(join(directory, 'cni', '10-bridge.conflist'), JSON.stringify(networkConfig(place)));
  await writeFile(join(directory, 'ca.crt'), authority);
  await writeFile(join(directory, 'kubelet.json'), JSON.stringify(kubeletConfig(place)));
  await writeFile(join(directory, 'faults.json'), '[]');
}

export function containerdSocket(directory: string): string {
  return join(directory, 'containerd.sock');
}

function containerdConfig(directory: string, plugins: string): string {
  return `
version = 2
root = "${directory}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${containerdSocket(directory)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Where a machine forbids lowering the score, no sandbox starts without this.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${plugins}"
    conf_dir = "${directory}/cni"
`;
}

/** Pods reach each other and the node, and nothing else: the machine's own network is left as it is. */
function networkConfig({ bridge, network }: Place): object {
  const ranges = [[{ subnet: `${network}.0/24`, rangeStart: `${network}.2` }]];
  return {
    cniVersion: '0.4.0',
    name: bridge,
    plugins: [{ type: 'bridge', bridge, isGateway: false, ipMasq: false, ipam: { type: 'host-local', ranges } }],
  };
}

function kubeletConfig({ id, directory, address }: Place): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: join(directory, 'ca.crt') },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${containerdSocket(directory)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${id}`,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    resolvConf: '',
    // A full disk of the machine is not what tests here are about.
    evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '0%', 'memory.available': '1Mi' },
    imageGCHighThresholdPercent: 100,
  };
}
