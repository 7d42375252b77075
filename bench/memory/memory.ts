import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext } from '../bench.ts';
import { repositoriesIn } from '../git/repositories.ts';
import { Archiver } from '../measure/archiver.ts';
import { archiveOnceArgs, keeperCommand, readReport } from '../measure/keeper.ts';
import { readMemory } from '../measure/peak-memory.ts';
import { runMeasured } from '../measure/run-measured.ts';
import { formatBytes, formatCount, formatNumber, formatSpread, mebibytes } from '../report/format.ts';
import type { Section, Target } from '../report/section.ts';
import { spreadOf } from '../report/statistics.ts';
import { countObjects, evenWorld, type World } from '../world/world.ts';

/** Resident memory by the number of objects, and by their size. */

interface Round {
  readonly oncePeak: number;
  readonly onceSeconds: number;
  /** Up to the last first commit of a running archive. */
  readonly watchPeak: number;
  /** A while later. */
  readonly watchResident: number;
}

export interface MemoryFigures {
  readonly objects: number;
  readonly namespaces: number;
  readonly sizes: readonly Size[];
}

interface Size {
  readonly bytes: number;
  readonly rounds: readonly Round[];
}

const FIRST_SYNC_LIMIT_MS = 10 * 60_000;
const REST_MS = 5000;
const MOST_MEBIBYTES = 250;
/** Percent, where objects are ten times as large. */
const MOST_GROWTH = 20;

export const memory: Bench<MemoryFigures> = {
  name: 'memory',
  title: 'Memory',
  summary:
    'peak resident memory at 50,000 objects of 2 KB and of 20 KB, once and watching (minutes: it creates 1.1 GB)',
  measure: measureMemory,
  describe: describeMemory,
};

async function measureMemory(context: BenchContext): Promise<MemoryFigures> {
  const [objects, namespaces] = context.isQuick ? [400, 5] : [50_000, 50];
  const sizes: Size[] = [];
  for (const bytes of [2048, 20_480]) {
    const world = await context.world(evenWorld(objects, namespaces, bytes));
    const rounds: Round[] = [];
    for (let round = 1; round <= (context.isQuick ? 1 : 3); round++) {
      rounds.push(await measureRound(world, context));
      const { oncePeak = 0, watchPeak = 0 } = rounds.at(-1) ?? {};
      context.tell(`${bytes} bytes, round ${round}: once ${formatBytes(oncePeak)}, watching ${formatBytes(watchPeak)}`);
    }
    sizes.push({ bytes, rounds });
  }
  return { objects, namespaces, sizes };
}

async function measureRound(world: World, context: BenchContext): Promise<Round> {
  const { kubeconfig } = world.cluster;
  const directory = join(context.directory, 'archive');
  const once = await runMeasured(keeperCommand(archiveOnceArgs(kubeconfig, directory)), context);
  readReport(once.output, countObjects(world.size));
  const repositories = await repositoriesIn(directory);
  await rm(directory, { recursive: true });
  const watching = await measureWatching(world, repositories, directory, context);
  await rm(directory, { recursive: true });
  return { oncePeak: once.peakBytes, onceSeconds: once.seconds, ...watching };
}

async function measureWatching(
  world: World,
  repositories: readonly string[],
  directory: string,
  context: BenchContext,
): Promise<Pick<Round, 'watchPeak' | 'watchResident'>> {
  const args = ['archive', '--kubeconfig', world.cluster.kubeconfig, '--data-dir', directory];
  await using archiver = new Archiver(args, context);
  await archiver.untilArchived(repositories, FIRST_SYNC_LIMIT_MS);
  const { peak } = readMemory(archiver.pid);
  await sleep(REST_MS, undefined, { signal: context.signal });
  return { watchPeak: peak, watchResident: readMemory(archiver.pid).resident };
}

function describeMemory({ objects, namespaces, sizes }: MemoryFigures): Section {
  return {
    how: [
      `${formatCount(objects)} objects in ${namespaces} namespaces of a real API server, which serves both sizes; VmHWM of the one process, ${sizes[0]?.rounds.length} ` +
        `rounds. "Once" is \`archive --once\`; "watching" is \`archive\` until every namespace has its first commit, and ${REST_MS / 1000} s after that.`,
    ],
    targets: [...targetsOf('once', 'oncePeak', sizes), ...targetsOf('watching', 'watchPeak', sizes)],
    tables: [
      {
        caption: 'By size of the objects',
        columns: ['bytes each', 'peak, once', 'seconds, once', 'peak, watching', 'at rest, watching'],
        rows: sizes.map(describeSize),
      },
    ],
    remarks: [],
  };
}

function targetsOf(name: string, field: 'oncePeak' | 'watchPeak', sizes: readonly Size[]): readonly Target[] {
  const [small = Number.NaN, large = Number.NaN] = sizes.map(
    ({ rounds }) => spreadOf(rounds.map((round) => round[field])).median,
  );
  const limits = { reach: 'at most' } as const;
  return [
    { ...limits, what: `peak, 2 KB objects, ${name}`, limit: MOST_MEBIBYTES, value: mebibytes(small), unit: 'MiB' },
    { ...limits, what: `more at 20 KB, ${name}`, limit: MOST_GROWTH, value: (large / small - 1) * 100, unit: '%' },
  ];
}

function describeSize({ bytes, rounds }: Size): readonly string[] {
  const spread = (field: keyof Round, format: (value: number) => string) => {
    const samples = rounds.map((round) => round[field]);
    return formatSpread(samples, format);
  };
  return [
    formatCount(bytes),
    spread('oncePeak', formatBytes),
    spread('onceSeconds', formatNumber),
    spread('watchPeak', formatBytes),
    spread('watchResident', formatBytes),
  ];
}
