import { join } from 'node:path';
import { binary } from '../../test/cluster/binaries.ts';
import { type Cluster, startCluster } from '../../test/cluster/start-cluster.ts';
import { Archiver } from './archiver.ts';
import { demoChanges } from './changes.ts';
import { findGap, findLeaks } from './evidence.ts';
import { unlessAborted } from './interruption.ts';
import { type Found, makeChange, type Stage } from './make-change.ts';
import { awaitFirstCommits, loadShop, repositories } from './prepare.ts';
import { runCommand } from './run-command.ts';
import { printCommand, printFailure, printHeading, printResult, quoteCommand } from './screen.ts';
import { showPlaces, showResult } from './show-result.ts';
import { stayUp } from './stay-up.ts';

/** By default it looks every 15 s. */
const QUICK_AUTOSCALER = ['--horizontal-pod-autoscaler-sync-period=2s'];

const SUGGESTIONS = [
  'kubectl -n shop-web set image deployment/cart cart=registry.example.com/shop/cart:3.2',
  'npx kubekeeper explain deployments.apps',
];

/** A small shop, its archive, six changes, and what Git shows of them. Resolves with the exit code: 0 only if all six are in Git. */
export async function showChanges(folder: string, keep: boolean, signal: AbortSignal): Promise<number> {
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
  if (keep) await stayUp(cluster, archiver, signal, SUGGESTIONS);
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
