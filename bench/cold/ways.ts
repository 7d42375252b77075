import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binary } from '../../test/cluster/binaries.ts';
import type { BenchContext } from '../bench.ts';
import { repositoriesIn } from '../git/repositories.ts';
import { flushDisk } from '../measure/flush-disk.ts';
import { archiveOnceArgs, keeperCommand, readReport } from '../measure/keeper.ts';
import { type Cost, costOf, runMeasured } from '../measure/run-measured.ts';
import { countObjects, type World } from '../world/world.ts';
import { type ArchivedBytes, treeOf, writeImportStreams } from './import-streams.ts';
import { listPaths } from './lists.ts';

/** The three ways of a cold archive, each from nothing to the last commit. */
export type Way = 'kubekeeper' | 'floor' | 'shell';

export interface Ways {
  readonly archived: ArchivedBytes;
  readonly resources: readonly string[];
  readonly listBytes: number;
  run(way: Way): Promise<Cost & { readonly bytes: number }>;
}

/** Archives once untimed: the floor writes what came out of that, and both others read the same resources. */
export async function prepareWays(world: World, context: BenchContext): Promise<Ways> {
  const place = (name: string) => join(context.directory, name);
  const { kubeconfig } = world.cluster;
  const { signal } = context;
  const kubekeeper = keeperCommand(archiveOnceArgs(kubeconfig, place('kubekeeper')));
  const first = await runMeasured(kubekeeper, { signal });
  const report = readReport(first.output, countObjects(world.size));
  const resources = report.resources.filter(({ objects }) => objects > 0).map(({ resource }) => resource);
  const archived = await writeImportStreams(place('kubekeeper'), place('streams'));
  const listBytes = await writeCurlConfig(world, resources, place('curl.conf'));
  const commands: Readonly<Record<Way, readonly string[]>> = {
    kubekeeper,
    floor: ['bash', script('floor.sh'), place('curl.conf'), place('streams'), place('floor')],
    shell: ['bash', script('by-shell.sh'), kubeconfig, place('shell'), ...resources],
  };
  const environment = { PATH: `${join(await binary('kubectl'), '..')}:${process.env['PATH']}` };
  await runMeasured(commands.floor, { signal });
  await requireSameTrees(place('kubekeeper'), place('floor'));
  const run = async (way: Way) => {
    await rm(place(way), { recursive: true, force: true });
    flushDisk();
    const cost = costOf(await runMeasured(commands[way], { signal, environment }));
    return { ...cost, bytes: allocatedBytes(place(way)) };
  };
  return { archived, resources, listBytes, run };
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}

/** The configuration holds the token, so that no list of processes shows it. Answers the bytes of all lists together. */
async function writeCurlConfig(world: World, resources: readonly string[], file: string): Promise<number> {
  const { cluster } = world;
  const authority = `${file}.pem`;
  await writeFile(authority, cluster.authority);
  const paths = await listPaths(cluster);
  const lines = [`cacert = "${authority}"`, `header = "Authorization: Bearer ${cluster.token}"`];
  let bytes = 0;
  for (const resource of resources) {
    const path = paths.get(resource);
    if (path === undefined) throw new Error(`kubekeeper archived ${resource}, which discovery does not name`);
    lines.push(`url = "${cluster.server}${path}"`, 'output = "/dev/null"');
    bytes += Buffer.byteLength((await cluster.request('GET', path)).text);
  }
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return bytes;
}

/** Otherwise the floor would be compared with something else. */
async function requireSameTrees(one: string, other: string): Promise<void> {
  for (const name of await repositoriesIn(one)) {
    if (treeOf(join(one, `${name}.git`)) !== treeOf(join(other, `${name}.git`)))
      throw new Error(`git fast-import made another tree of ${name}`);
  }
}

/** du(1): what the disk gives for it, the remains of a block included. */
function allocatedBytes(directory: string): number {
  return Number(execFileSync('du', ['-s', '-B1', directory], { encoding: 'utf8' }).split('\t')[0]);
}
