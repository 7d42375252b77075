import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { binary } from '../test/cluster/binaries.ts';
import { type Cluster, startCluster } from '../test/cluster/start-cluster.ts';
import { findNodePrograms } from '../test/node/node-programs.ts';
import { type Node, startNode } from '../test/node/start-node.ts';

/** `npm run cluster -- --kubeconfig FILE`: a real control plane to play with, until it is interrupted. */

const USAGE = `Usage: npm run cluster -- [--node] --kubeconfig FILE

Starts a real Kubernetes control plane on loopback, writes FILE once it is ready and runs until Ctrl-C; then FILE
and everything else is removed.

  --kubeconfig FILE  where to write how to reach it
  --node             with a node, on which pods run and claims get volumes that snapshots can be made of; without it
                     pods stay pending. It needs root, containerd, runc, btrfs, network plugins and a busybox (on
                     Debian: containerd runc btrfs-progs containernetworking-plugins busybox-static), keeps to a
                     folder and to namespaces of its own, and builds for some minutes the first time
`;

/** How a kubeconfig says that it is ours, in the place that clients leave to others. */
const EXTENSION = 'kubekeeper.dev/cluster';

const { file, withNode } = readArguments();
checkTarget(file);
try {
  await run(file);
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function run(path: string): Promise<void> {
  const interrupted = Promise.withResolvers<void>();
  // A program that started this over a channel is gone, killed perhaps: nobody else would end it.
  process.once('disconnect', () => interrupted.resolve());
  // Building takes minutes; until it is done, an interrupt just ends the process.
  for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const) await binary(name);
  const kubectl = await binary('kubectl');
  if (withNode) await findNodePrograms();
  // npm and the terminal may both send one, so a second means nothing more.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.resolve());
  process.stderr.write('starting etcd, kube-apiserver and kube-controller-manager ...\n');
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster());
  if (withNode) process.stderr.write('starting a node ...\n');
  const node = withNode ? stack.use(await startNode(cluster)) : undefined;
  checkTarget(path);
  writeKubeconfig(cluster, path);
  process.stdout.write(describe(cluster, path, kubectl, node));
  await interrupted.promise;
  process.stderr.write(`ending the cluster and removing ${path}\n`);
  if (ownerOf(path) === process.pid) rmSync(path);
  process.channel?.unref();
}

function readArguments(): { readonly file: string; readonly withNode: boolean } {
  try {
    const options = {
      kubeconfig: { type: 'string' },
      node: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { values } = parseArgs({ options });
    if (values.help === true) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if (values.kubeconfig !== undefined && values.kubeconfig !== '') {
      // npm runs this in the root of the repository, wherever the user is.
      const file = resolve(process.env['INIT_CWD'] ?? process.cwd(), values.kubeconfig);
      return { file, withNode: values.node === true };
    }
    refuse('name the file to write: npm run cluster -- --kubeconfig FILE');
  } catch (error) {
    refuse(`${(error as Error).message.split(/[.\n]/)[0]}; usage: npm run cluster -- --kubeconfig FILE`);
  }
}

/** Nothing that somebody else wrote is ever overwritten; what a killed run of ours left is. */
function checkTarget(path: string): void {
  const folder = dirname(path);
  if (!(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false)) {
    refuse(`${folder} is no folder: make it first, or name another --kubeconfig`);
  }
  if (!existsSync(path)) return;
  const owner = ownerOf(path);
  if (owner === undefined) refuse(`${path} exists and was not written by this command: name another --kubeconfig`);
  if (isRunning(owner)) refuse(`${path} belongs to a cluster that runs (process ${owner}): name another --kubeconfig`);
}

/** The process that wrote this kubeconfig; undefined when it is none of ours. */
function ownerOf(path: string): number | undefined {
  try {
    const { extensions } = JSON.parse(readFileSync(path, 'utf8')) as {
      extensions: { name: string; extension: { pid: number } }[];
    };
    return extensions.find(({ name }) => name === EXTENSION)?.extension.pid;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whole or not at all: who waits for the file may use it at once. */
function writeKubeconfig(from: Cluster, path: string): void {
  const kubeconfig = JSON.parse(readFileSync(from.kubeconfig, 'utf8')) as object;
  const extensions = [{ name: EXTENSION, extension: { pid: process.pid } }];
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify({ ...kubeconfig, extensions })}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(temporary, path);
}

function describe({ server, readyMs }: Cluster, path: string, kubectl: string, node?: Node): string {
  const inPath = (process.env['PATH'] ?? '').split(delimiter).includes(dirname(kubectl));
  return `Kubernetes is ready at ${server} after ${(readyMs / 1000).toFixed(1)} s. In another terminal:

  export KUBECONFIG=${path}
  ${inPath ? 'kubectl' : kubectl} get namespaces
  npx kubekeeper archive --once
${node === undefined ? '' : describeNode(node)}
Ctrl-C ends it and removes the file.
`;
}

function describeNode({ name, readyMs, busybox }: Node): string {
  return `
Node ${name} is ready after ${(readyMs / 1000).toFixed(1)} s. Pods run the image ${busybox} (imagePullPolicy: Never);
claims of the default class get volumes, and VolumeSnapshots of the default class are made of these.
`;
}

function refuse(message: string): never {
  process.stderr.write(`error: ${message}\n`);
  process.exit(2);
}
