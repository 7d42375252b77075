import type { Disk } from './disk.ts';

/** Disks in memory have paths below this one; all other paths are the machine's. */
const MOUNT = '/power-test';

const disks = new Map<string, Disk>();

/** Mounts a disk; answers its path. */
export function mount(name: string, disk: Disk): string {
  disks.set(name, disk);
  return `${MOUNT}/${name}`;
}

export function unmount(name: string): void {
  disks.delete(name);
}

/** The disk of a path and the path on it; undefined for the machine's own. */
export function diskOf(path: unknown): { readonly disk: Disk; readonly inner: string } | undefined {
  if (typeof path !== 'string' || !path.startsWith(`${MOUNT}/`)) return undefined;
  const [name = '', ...rest] = path.slice(MOUNT.length + 1).split('/');
  const disk = disks.get(name);
  if (disk === undefined) throw new Error(`No disk is mounted at "${path}"`);
  return { disk, inner: `/${rest.join('/')}` };
}
