import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { binary } from '../test/cluster/binaries.ts';
import { type Cluster, startCluster } from '../test/cluster/start-cluster.ts';
import { Archiver } from './demo/archiver.ts';
import { demoChanges } from './demo/changes.ts';
import { findGap, findLeaks } from './demo/evidence.ts';
import { type Found, makeChange, printCommit, type Stage } from './demo/make-change.ts';
import { awaitFirstCommits, loadShop, repositories } from './demo/prepare.ts';
import { runCommand } from './demo/run-command.ts';
import { printCommand, printFailure, printHeading, printResult, quoteCommand } from './demo/screen.ts';
import { showPlaces, showResult } from './demo/show-result.ts';

/**
 * `npm run demo [-- --keep]`: a real control plane, a small shop, its archive, six changes, and what Git shows of them. Ends with 0
 * only if all six are in Git. The repositories stay, the cluster goes; with --keep it stays up until Ctrl-C.
 */

const INTERRUPTED = 130;
/** By default it looks every 15 s. */
const QUICK_AUTOSCALER = ['--horizontal-pod-autoscaler-sync-period=2s'];

process.chdir(join(import.meta.dirname, '..'));
const isKept = parseKeep();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());
const folder = await mkdtemp(join(tmpdir(), 'kubekeeper-demo-'));
try {
  process.exitCode = await runDemo(folder, isKept, interruption.signal);
} catch (error) {
  process.exitCode = interruption.signal.aborted ? INTERRUPTED : 1;
  if (interruption.signal.aborted) await rm(folder, { recursive: true, force: true });
  else printFailure(`${error instanceof Error ? error.message : error}\nwhat there is lies in ${folder}`);
}
// What was being started when it was interrupted ends with this process.
process.exit();

function parseKeep(): boolean {
  const usage = 'usage: npm run demo [-- --keep]    --keep: the cluster stays up until Ctrl-C';
  try {
    const options = { keep: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ options });
    if (values.help !== true) return values.keep;
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n${usage}\n`);
    process.exit(2);
  }
}

async function runDemo(folder: string, keep: boolean, signal: AbortSignal): Promise<number> {
  printHeading('1/4 Start Kubernetes (etcd, API server, controller manager on loopback)');
  await using cluster = await unlessAborted(startCluster({ controllerManagerArgs: QUICK_AUTOSCALER }), signal);
  printResult(`ready after ${(cluster.readyMs / 1000).toFixed(1)} s at ${cluster.server}`);
  const program = await binary('kubectl');
  const environment = { KUBECONFIG: cluster.kubeconfig, KUBECACHEDIR: join(cluster.directory, 'kubectl') };
  const kubectl = (...args: readonly string[]) => runCommand(program, args, { environment, signal });

  printHeading('2/4 Load a small shop');
  await loadShop(kubectl);

  printHeading('3/4 Archive it');
  const directory = join(folder, 'repositories');
  await using archiver = startArchiver(cluster, folder, directory);
  await awaitFirstCommits(archiver, signal);

  printHeading('4/4 Change it six times');
  const stage: Stage = { directory, archiver, signal, kubectl };
  const found: Found[] = [];
  for (const change of demoChanges) found.push(...(await makeChange(stage, change)));

  await showResult(directory, { before: found[0]?.before ?? 'main' });
  const code = await judge(directory, found);
  showPlaces(directory);
  if (keep) await stayUp(cluster, archiver, signal);
  return code;
}

function startArchiver(cluster: Cluster, folder: string, directory: string): Archiver {
  const options = ['--kubeconfig', cluster.kubeconfig, '--data-dir', directory, '--window', '2s'];
  printCommand(quoteCommand(['kubekeeper', 'archive', ...options]));
  return new Archiver(['archive', ...options], join(folder, 'archive.log'));
}

/** Asks Git once more, when everything has happened. */
async function judge(directory: string, found: readonly Found[]): Promise<number> {
  const gaps = await Promise.all(found.map(({ evidence, before }) => findGap(directory, evidence, before)));
  const failures = [...gaps, ...(await findLeaks(directory, ['_cluster', ...repositories]))];
  const told = failures.filter((failure) => failure !== undefined);
  for (const failure of told) printFailure(failure);
  if (told.length > 0) return 1;
  printHeading(`All ${demoChanges.length} changes are in Git, and no value of a Secret is.`);
  return 0;
}

async function stayUp(cluster: Cluster, archiver: Archiver, signal: AbortSignal): Promise<void> {
  printHeading('The cluster stays up until Ctrl-C; commits show up here as you play');
  printResult(`export KUBECONFIG=${cluster.kubeconfig}`);
  printResult('kubectl -n shop-web set image deployment/cart cart=registry.example.com/shop/cart:3.2');
  printResult('npx kubekeeper explain deployments.apps');
  printHeading('Commits');
  let { position } = archiver;
  while (!signal.aborted) {
    const options = { position, timeoutMs: 2 ** 31 - 1, signal };
    const news = await unlessEnded(
      archiver.waitFor('a commit', (line) => line.event === 'committed', options),
      signal,
    );
    if (news === undefined) return;
    printCommit(news.line);
    position = news.next;
  }
}

/** Undefined once the signal has aborted: that is how playing ends. */
async function unlessEnded<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return promise.catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
}

/** What cannot be interrupted is left behind; it ends with this process. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, interrupted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
