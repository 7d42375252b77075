import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext } from '../bench.ts';
import { Archiver } from '../measure/archiver.ts';
import { changeConfigMap, configMapsOf } from '../world/config-maps.ts';
import type { World, WorldSize } from '../world/world.ts';

/** From the API server to the durable commit, with a window of zero. */
export interface EndToEndFigures {
  readonly objects: number;
  /** Milliseconds from the answer to the PATCH to the log line of the commit. */
  readonly fromAnswer: readonly number[];
  /** The same from the moment when the PATCH was sent. */
  readonly fromRequest: readonly number[];
  /** What the log line says about the commit alone. */
  readonly ofCommit: readonly number[];
}

const FIRST_SYNC_LIMIT_MS = 10 * 60_000;
const LONGEST_COMMIT_MS = 60_000;
/** Between two changes, so that each is alone. */
const PAUSE_MS = 100;

/** Changes one ConfigMap of each namespace in turn. */
export async function measureEndToEnd(
  world: World,
  rounds: number,
  context: BenchContext,
): Promise<readonly EndToEndFigures[]> {
  const names = world.size.namespaces.map(({ name }) => name);
  const args = ['--kubeconfig', world.cluster.kubeconfig, '--data-dir', join(context.directory, 'end-to-end')];
  const scope = ['--namespaces', names.join(','), '--window', '0s', '--max-window', '0s'];
  await using archiver = new Archiver(['archive', ...args, ...scope], context);
  await archiver.untilArchived(names, FIRST_SYNC_LIMIT_MS);
  const samples = world.size.namespaces.map((namespace) => ({
    namespace,
    targets: configMapsOf(namespace),
    times: { fromAnswer: [] as number[], fromRequest: [] as number[], ofCommit: [] as number[] },
  }));
  for (let round = 1; round <= rounds; round++) {
    for (const { namespace, targets, times } of samples) {
      await sleep(PAUSE_MS, undefined, { signal: context.signal });
      const sample = await changeOne(world, archiver, { namespace, targets, round });
      times.fromAnswer.push(sample.fromAnswer);
      times.fromRequest.push(sample.fromRequest);
      times.ofCommit.push(sample.ofCommit);
    }
  }
  return samples.map(({ namespace, times }) => ({ objects: namespace.objects, ...times }));
}

async function changeOne(
  world: World,
  archiver: Archiver,
  change: {
    readonly namespace: WorldSize['namespaces'][number];
    readonly targets: ReturnType<typeof configMapsOf>;
    readonly round: number;
  },
): Promise<{ fromAnswer: number; fromRequest: number; ofCommit: number }> {
  const { namespace, targets, round } = change;
  const target = targets[(round * 7919) % targets.length];
  if (target === undefined) throw new Error(`${namespace.name} holds no ConfigMap`);
  const read = archiver.lines.length;
  const requested = performance.now();
  await changeConfigMap(world.cluster, target, `round-${round}`);
  const answered = performance.now();
  const line = await archiver.until(
    `the commit of a change in ${namespace.name}`,
    (lines) => lines.slice(read).find((one) => one.event === 'committed' && one['repository'] === namespace.name),
    LONGEST_COMMIT_MS,
  );
  return { fromAnswer: line.at - answered, fromRequest: line.at - requested, ofCommit: Number(line['durationMs']) };
}
