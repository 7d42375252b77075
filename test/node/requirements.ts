import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** What a node cannot be without. */

const PROGRAMS = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  'mkfs.btrfs': 'btrfs-progs',
  btrfs: 'btrfs-progs',
  busybox: 'busybox-static',
  ip: 'iproute2',
  losetup: 'mount',
  nsenter: 'util-linux',
} as const;

/** What only some tests need. */
const MORE_PROGRAMS = { mmdebstrap: 'mmdebstrap' } as const;

type Program = keyof typeof PROGRAMS;

const PLUGIN_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];

/** Where administrators' programs are, also when PATH is a user's. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * For `test(..., { skip })`: "needs ..." with what is missing and how to get it; false where a node can run. A test with
 * images of Debian names `mmdebstrap`.
 */
export async function missingForNode(...more: readonly (keyof typeof MORE_PROGRAMS)[]): Promise<string | false> {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const packages = new Set<string>();
  for (const [program, from] of Object.entries(PROGRAMS)) if (!(await isThere(program))) packages.add(from);
  for (const program of more) if (!(await isThere(program))) packages.add(MORE_PROGRAMS[program]);
  if ((await findPlugins()) === undefined) packages.add('containernetworking-plugins');
  if (packages.size > 0)
    return `needs ${[...packages].join(', ')} (on Debian: apt-get install ${[...packages].join(' ')})`;
  const systems = await readFile('/proc/filesystems', 'utf8');
  for (const system of ['btrfs', 'overlay']) {
    if (!systems.includes(`\t${system}\n`)) return `needs ${system} in the kernel (modprobe ${system})`;
  }
  if (!(await has('/dev/loop-control'))) return 'needs loop devices (modprobe loop)';
  if (!(await has('/sys/fs/cgroup', constants.W_OK))) return 'needs writable control groups in /sys/fs/cgroup';
  return false;
}

export async function findProgram(name: Program): Promise<string | undefined> {
  return find(name);
}

async function isThere(program: string): Promise<boolean> {
  return (await find(program)) !== undefined;
}

async function find(program: string): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS]) {
    if (folder !== '' && (await has(join(folder, program), constants.X_OK))) return join(folder, program);
  }
  return undefined;
}

/** The folder of the network plugins. */
export async function findPlugins(): Promise<string | undefined> {
  for (const folder of PLUGIN_FOLDERS) if (await has(join(folder, 'bridge'), constants.X_OK)) return folder;
  return undefined;
}

async function has(path: string, mode?: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
