import type { TestNode } from '../../test/node/test-node.ts';
import type { Bench, BenchContext } from '../bench.ts';
import { formatNumber, formatSpread } from '../report/format.ts';
import type { Section } from '../report/section.ts';
import { pairwise, spreadOf } from '../report/statistics.ts';
import { type CloneFigures, measureClones } from './clones.ts';
import { openDataWorld, SOURCE } from './data-world.ts';
import { measureSnapshots, type SnapshotFigures } from './snapshots.ts';

/** Volume data on a real node: what snapshots add to a commit, and a restore beside the driver's own clones. */

export interface DataFigures {
  readonly snapshots: SnapshotFigures;
  readonly clones: CloneFigures;
}

export const data: Bench<DataFigures> = {
  name: 'data',
  title: 'Volume data',
  summary:
    '20 claims snapshotted, against kubectl create; 5 claims of 100 MB restored, against clones by kubectl (needs root)',
  measure: measureData,
  describe: describeData,
};

async function measureData(context: BenchContext): Promise<DataFigures> {
  const runs = { rounds: context.isQuick ? 1 : 5, context };
  const bytes = context.isQuick ? 1_000_000 : 100_000_000;
  const snapshots = await measureOnNode(async (world) => {
    const claims = names(context.isQuick ? 4 : 20);
    await world.createNamespace(SOURCE);
    for (const name of claims) await world.createClaim(SOURCE, name);
    for (const name of claims) await world.waitFor(SOURCE, `pvc/${name}`, '.status.phase', 'Bound');
    return measureSnapshots(world, claims, runs);
  });
  const clones = await measureOnNode((world) => measureClones(world, { claims: names(5), bytes }, runs));
  return { snapshots, clones };
}

/** Each with a node of its own: what one has left there must not slow the other. */
async function measureOnNode<T>(measure: (world: TestNode) => Promise<T>): Promise<T> {
  await using world = await openDataWorld();
  return await measure(world);
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `data-${index}`);
}

function describeData({ snapshots, clones }: DataFigures): Section {
  const { rounds } = snapshots;
  const of = (name: keyof (typeof rounds)[number]) => rounds.map((round) => round[name]);
  const delays = rounds.map(({ commitWith, commitWithout }) => commitWith - commitWithout);
  const restores = clones.rounds.map(({ keeper }) => keeper);
  const plain = clones.rounds.map(({ kubectl }) => kubectl);
  return {
    how: [
      `A node on this machine (containerd, kubelet) with a CSI driver of btrfs subvolumes. **Snapshots**: ${snapshots.claims} claims in one namespace, one ConfigMap ` +
        'is changed, with a window of zero. kubekeeper counts from the answer to the change until every content in the cluster has a handle, kubectl from its start with one ' +
        `file of the same VolumeSnapshots. **Restore**: ${clones.claims} claims of ${formatNumber(clones.bytes / 1e6)} MB of random bytes, each with a Deployment, into a new ` +
        'namespace: `restore --into` from the start of the process to its end with every pod ready, against one `kubectl create` of the static contents, VolumeSnapshots, ' +
        'claims and Deployments that a person writes who knows the handles. Hashes are compared after each.',
    ],
    targets: [
      {
        what: `handles of ${snapshots.claims} claims, kubekeeper / kubectl create`,
        reach: 'at most',
        limit: 1.5,
        value: spreadOf(pairwise(of('keeper'), of('kubectl'))).median,
        unit: 'x',
      },
      {
        what: 'what snapshots add to a commit',
        reach: 'at most',
        limit: 500,
        value: spreadOf(delays).median,
        unit: 'ms',
      },
      {
        what: `restore of ${clones.claims} claims, kubekeeper / kubectl create`,
        reach: 'at most',
        limit: 1.5,
        value: spreadOf(pairwise(restores, plain)).median,
        unit: 'x',
      },
    ],
    tables: [
      {
        caption: 'Snapshots, milliseconds',
        columns: ['', 'milliseconds'],
        rows: [
          ['change to last handle, kubekeeper', formatSpread(of('keeper'))],
          ['from asking to the last handle that kubekeeper has seen', formatSpread(of('noted'))],
          ['kubectl create to last handle', formatSpread(of('kubectl'))],
          ['change to commit, with data', formatSpread(of('commitWith'))],
          ['change to commit, without', formatSpread(of('commitWithout'))],
        ],
      },
      {
        caption: 'Restore, seconds',
        columns: ['', 'seconds'],
        rows: [
          ['kubekeeper restore', formatSpread(restores)],
          ['kubectl create', formatSpread(plain)],
        ],
      },
    ],
    remarks: [
      // From a trace of its requests by time, on two cores.
      'Where the time of a restore goes: 0.6 s until the first request (process, modules, the repository), 0.25 s the plan, 0.4 s until all claims are asked for and 0.1 s more until ' +
        'all Deployments are; then the pods start, as long as those of kubectl. VolumeSnapshots and contents are taken away beside them, which the pods feel on a small machine.',
    ],
  };
}
