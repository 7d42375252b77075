import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

/** A node is found by these names when nobody who started it lives: its folder, its control groups, its bridge. */
const PREFIX = 'kubekeeper-node-';
const BRIDGE_PREFIX = 'kk-';

export const LEAVE = join(import.meta.dirname, 'leave.sh');

/** `key` is 12 hexadecimal digits: with them the bridge has the longest name that Linux lets it have. */
export function namesOf(key: string): { readonly id: string; readonly bridge: string } {
  return { id: PREFIX + key, bridge: BRIDGE_PREFIX + key };
}

/** Takes away what nodes left whose supervisor was killed too; a node that lives is named in some command line. */
export async function sweepNodes(): Promise<void> {
  const left = await leftKeys();
  if (left.length === 0) return;
  const commands = await commandLines();
  for (const key of left.filter((one) => !commands.includes(one))) {
    const { id, bridge } = namesOf(key);
    await run('sh', [LEAVE, id, bridge]);
    await rm(join(tmpdir(), id), { recursive: true, force: true });
  }
}

async function leftKeys(): Promise<readonly string[]> {
  const hierarchies = await list('/sys/fs/cgroup');
  const names = [
    hierarchies,
    ...(await Promise.all(hierarchies.map((name) => list(join('/sys/fs/cgroup', name))))),
    await list('/sys/class/net'),
    await list(tmpdir()),
    await disks(),
  ].flat();
  const keys = names.flatMap((name) => /(?:^|\/)(?:kubekeeper-node-|kk-)([0-9a-f]{12})\b/.exec(name)?.[1] ?? []);
  return [...new Set(keys)];
}

/** What lies under the loop devices of the machine; a deleted file still has its name. */
async function disks(): Promise<readonly string[]> {
  const devices = (await list('/sys/block')).filter((name) => name.startsWith('loop'));
  return Promise.all(devices.map((name) => readFile(`/sys/block/${name}/loop/backing_file`, 'utf8').catch(() => '')));
}

async function commandLines(): Promise<string> {
  const pids = (await list('/proc')).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))).join('\n');
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
