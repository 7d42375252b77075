import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { binary } from '../../test/cluster/binaries.ts';
import { type Cluster, startCluster } from '../../test/cluster/start-cluster.ts';
import type { Bench, BenchContext } from '../bench.ts';
import { archiveOnceArgs, keeperCommand } from '../measure/keeper.ts';
import { type Cost, costOf, runMeasured } from '../measure/run-measured.ts';
import { formatBytes, formatCount, formatSpread, mebibytes } from '../report/format.ts';
import type { Section } from '../report/section.ts';
import { pairwise, spreadOf } from '../report/statistics.ts';
import { type ShopNamespace, shopWorld } from './shop-world.ts';

/** A whole cluster's namespaces brought back into an empty one, beside kubectl and the same files; and the plan when nothing has changed. */

type Way = 'kubekeeper' | 'kubectl';
const WAYS: readonly Way[] = ['kubekeeper', 'kubectl'];

export interface RestoreFigures {
  readonly objects: number;
  readonly namespaces: number;
  readonly rounds: Readonly<Record<Way, readonly Cost[]>>;
  /** Nothing changed. */
  readonly plans: readonly Cost[];
}

export const restore: Bench<RestoreFigures> = {
  name: 'restore',
  title: 'Restore',
  summary:
    '5,000 objects into an empty cluster, against kubectl create by 16 clients; the plan when nothing has changed',
  measure: measureRestore,
  describe: describeRestore,
};

async function measureRestore(context: BenchContext): Promise<RestoreFigures> {
  const world = shopWorld(context.isQuick ? 4 : 50);
  const objects = world.reduce((sum, { objects: own }) => sum + own.length, 0);
  const files = await writeFiles(world, join(context.directory, 'files'));
  const archive = { data: join(context.directory, 'data'), identity: join(context.directory, 'identity.txt') };
  const plans: Cost[] = [];
  {
    await using source = await startCluster();
    await createAll(source, files, context);
    await archiveEncrypted(source, archive, context);
    for (let round = 0; round < (context.isQuick ? 1 : 3); round++) plans.push(await plan(source, archive, context));
    context.tell(`plan of ${objects} objects: ${formatSpread(plans.map(({ seconds }) => seconds))} s`);
  }
  const rounds: Record<Way, Cost[]> = { kubekeeper: [], kubectl: [] };
  for (let round = 1; round <= (context.isQuick ? 1 : 5); round++) {
    for (const way of WAYS) {
      await using empty = await startCluster();
      const cost =
        way === 'kubectl' ? await createAll(empty, files, context) : await restoreAll(empty, archive, context);
      await requireAll(empty, objects);
      rounds[way].push(cost);
    }
    const last = WAYS.map((way) => `${way} ${formatSpread([rounds[way].at(-1)?.seconds ?? 0])} s`);
    context.tell(`round ${round}: ${last.join(', ')}`);
  }
  return { objects, namespaces: world.length, rounds, plans };
}

interface Archive {
  readonly data: string;
  readonly identity: string;
}

/** One file per namespace, as `kubectl create -f` takes it. */
async function writeFiles(world: readonly ShopNamespace[], directory: string): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const files: string[] = [];
  for (const { name, objects } of world) {
    const path = join(directory, `${name}.json`);
    const items = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, ...objects];
    await writeFile(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    files.push(path);
  }
  return files;
}

/** Sixteen kubectl side by side, a file each. */
async function createAll(cluster: Cluster, files: readonly string[], context: BenchContext): Promise<Cost> {
  const script = 'printf "%s\\n" "$@" | xargs -P 16 -n 1 "$KUBECTL" create --validate=false -f > /dev/null';
  const environment = {
    KUBECONFIG: cluster.kubeconfig,
    KUBECTL: await binary('kubectl'),
    KUBECACHEDIR: join(cluster.directory, 'kubectl'),
  };
  return costOf(await runMeasured(['sh', '-c', script, 'create', ...files], { signal: context.signal, environment }));
}

async function archiveEncrypted(cluster: Cluster, { data, identity }: Archive, context: BenchContext): Promise<void> {
  const key = await generateX25519Identity();
  await writeFile(identity, `${key}\n`, { mode: 0o600 });
  const secrets = ['--secrets', 'encrypt', '--age-recipient', await identityToRecipient(key), '--namespaces', 'shop-*'];
  await runMeasured(keeperCommand([...archiveOnceArgs(cluster.kubeconfig, data), ...secrets]), context);
}

const place = (cluster: Cluster, { identity }: Archive) => [
  ...['shop-*', '--to', 'HEAD', '--kubeconfig', cluster.kubeconfig, '--identity', identity],
];

async function plan(cluster: Cluster, archive: Archive, context: BenchContext): Promise<Cost> {
  const run = await runMeasured(
    keeperCommand(['plan', '-o', 'json', ...place(cluster, archive), '--data-dir', archive.data]),
    context,
  );
  const { plans } = JSON.parse(run.output) as { plans: readonly { readonly steps: readonly object[] }[] };
  const steps = plans.reduce((sum, one) => sum + one.steps.length, 0);
  if (steps > 0) throw new Error(`nothing was changed, and the plan has ${steps} steps`);
  return costOf(run);
}

/** What a restore writes, safety tags and its journal, has a place of its own. */
async function restoreAll(cluster: Cluster, archive: Archive, context: BenchContext): Promise<Cost> {
  const state = `${archive.data}-${Date.now()}`;
  const where = ['--from', archive.data, '--data-dir', state];
  const run = await runMeasured(
    keeperCommand(['restore', '--yes', '-o', 'json', ...place(cluster, archive), ...where]),
    context,
  );
  const { restores } = JSON.parse(run.output) as { restores: readonly { readonly equal: boolean }[] };
  if (!restores.every(({ equal }) => equal)) throw new Error('a namespace was not restored as it was');
  await rm(state, { recursive: true });
  return costOf(run);
}

async function requireAll(cluster: Cluster, objects: number): Promise<void> {
  let found = 0;
  for (const path of ['/api/v1/configmaps', '/api/v1/secrets', '/api/v1/services', '/apis/apps/v1/deployments']) {
    const { text } = await cluster.request('GET', `${path}?labelSelector=app`);
    found += (JSON.parse(text) as { items: readonly object[] }).items.length;
  }
  if (found !== objects) throw new Error(`${found} objects are there where ${objects} should be`);
}

function describeRestore({ objects, namespaces, rounds, plans }: RestoreFigures): Section {
  const seconds = (way: Way) => rounds[way].map((round) => round.seconds);
  const rates = seconds('kubekeeper').map((one) => objects / one);
  const ratio = pairwise(seconds('kubekeeper'), seconds('kubectl'));
  const peak = Math.max(...rounds.kubekeeper.map(({ peakBytes }) => mebibytes(peakBytes)));
  const planPeak = Math.max(...plans.map(({ peakBytes }) => mebibytes(peakBytes)));
  return {
    how: [
      `${formatCount(objects)} objects in ${namespaces} namespaces: thirty ConfigMaps and Secrets for each Deployment and Service, 1.5 KB each, archived with their ` +
        'secrets encrypted. Each round has an empty cluster per way. **kubekeeper** is `restore --yes` of all namespaces from the start of the process to its end: plan, ' +
        'safety commit, plan again, decrypt, apply, read back and compare. **kubectl** is sixteen `kubectl create --validate=false` side by side, a file per namespace, ' +
        'secrets in clear, nothing read back.',
    ],
    targets: [
      {
        what: 'objects restored a second, end to end',
        reach: 'at least',
        limit: 150,
        value: spreadOf(rates).median,
        unit: '/s',
      },
      {
        what: 'time, kubekeeper / 16 kubectl create',
        reach: 'at most',
        limit: 2,
        value: spreadOf(ratio).median,
        unit: 'x',
      },
      {
        what: 'plan, nothing changed',
        reach: 'at most',
        limit: 15,
        value: spreadOf(plans.map((one) => one.seconds)).median,
        unit: 's',
      },
      { what: 'peak memory of a restore', reach: 'at most', limit: 250, value: peak, unit: 'MiB' },
      { what: 'peak memory of the plan', reach: 'at most', limit: 250, value: planPeak, unit: 'MiB' },
    ],
    tables: [
      {
        caption: 'Each way',
        columns: ['', 'seconds', 'CPU seconds', 'largest process'],
        rows: WAYS.map((way) => [
          way,
          formatSpread(seconds(way)),
          formatSpread(rounds[way].map(({ cpuSeconds }) => cpuSeconds)),
          formatBytes(spreadOf(rounds[way].map(({ peakBytes }) => peakBytes)).median),
        ]),
      },
    ],
    remarks: [],
  };
}
