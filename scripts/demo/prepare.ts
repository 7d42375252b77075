import type { Archiver } from './archiver.ts';
import { printCommit } from './make-change.ts';
import { printCommand, printResult } from './screen.ts';

/** The two steps before the changes: the shop is loaded, and the archive has seen all of it. */

export const repositories = ['shop-web', 'shop-db', 'shop-ops'] as const;

const LISTING_MS = 120_000;

/** Loads the shop and waits until the controllers have made what belongs to it. */
export async function loadShop(kubectl: (...args: readonly string[]) => Promise<string>): Promise<void> {
  printCommand('kubectl apply --server-side -f demo/shop');
  const applied = await kubectl('apply', '--server-side', '-f', 'demo/shop');
  printResult(`${applied.trim().split('\n').length} objects in ${repositories.join(', ')} and the cluster`);
  const settled = [
    ['deployment', '--all', '-n', 'shop-web', '--for=condition=Progressing'],
    ['deployment/web', '-n', 'shop-web', '--for=jsonpath={.spec.replicas}=2'],
    ['statefulset/postgres', '-n', 'shop-db', '--for=jsonpath={.status.replicas}=1'],
  ];
  for (const what of settled) await kubectl('wait', ...what, '--timeout=60s');
  printResult('the controllers have made ReplicaSets, pods and claims, and scaled what they scale');
}

/** Waits until everything was listed and lies in Git. */
export async function awaitFirstCommits(archiver: Archiver, signal: AbortSignal): Promise<void> {
  const options = { position: 0, timeoutMs: LISTING_MS, signal };
  const catalogue = await archiver.waitFor('the list of resources', (line) => line.event === 'catalogue', options);
  printResult(`listing ${String(catalogue.line['resources'])} resources`);
  const { line } = await archiver.waitFor('the first list', (one) => one.event === 'synced', options);
  printResult(`${String(line['objects'])} objects seen; from here on it watches`);
  for (const repository of ['_cluster', ...repositories]) {
    const matches = (one: { event: string; repository?: unknown }) =>
      one.event === 'committed' && one.repository === repository;
    printCommit((await archiver.waitFor(`the first commit of ${repository}`, matches, options)).line);
  }
}
