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
import type { Section } from '../report/section.ts';
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
  readonly sizes: readonly { readonly bytes: number; readonly rounds: readonly Round[] }[];
}

const FIRST_SYNC_LIMIT_MS = 10 * 60_000;
const REST_MS = 5000;
const RULES = { megabytes: 250, growth: 20 };

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
  const sizes: { bytes: number; rounds: readonly Round[] }[] = [];
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
  const peakOf = (place: number, field: 'oncePeak' | 'watchPeak') =>
    spreadOf((sizes[place]?.rounds ?? []).map((round) => round[field])).median;
  const target = (what: string, field: 'oncePeak' | 'watchPeak') => ({
    what,
    reach: 'at most' as const,
    limit: RULES.megabytes,
    value: mebibytes(peakOf(0, field)),
    unit: 'MiB' as const,
  });
  const growth = (what: string, field: 'oncePeak' | 'watchPeak') => ({
    what,
    reach: 'at most' as const,
    limit: RULES.growth,
    value: (peakOf(1, field) / peakOf(0, field) - 1) * 100,
    unit: '%' as const,
  });
  return {
    how: [
      `${formatCount(objects)} objects in ${namespaces} namespaces of a real API server, which serves both sizes; VmHWM of the one process, ${sizes[0]?.rounds.length} ` +
        `rounds. "Once" is \`archive --once\`; "watching" is \`archive\` until every namespace has its first commit, and ${REST_MS / 1000} s after that.`,
    ],
    targets: [
      target('peak, 2 KB objects, once', 'oncePeak'),
      target('peak, 2 KB objects, watching', 'watchPeak'),
      growth('more at 20 KB, once', 'oncePeak'),
      growth('more at 20 KB, watching', 'watchPeak'),
    ],
    tables: [
      {
        caption: 'By size of the objects',
        columns: ['bytes each', 'peak, once', 'seconds, once', 'peak, watching', 'at rest, watching'],
        rows: sizes.map(({ bytes, rounds }) => [
          formatCount(bytes),
          formatSpread(
            rounds.map((round) => round.oncePeak),
            formatBytes,
          ),
          formatSpread(
            rounds.map((round) => round.onceSeconds),
            formatNumber,
          ),
          formatSpread(
            rounds.map((round) => round.watchPeak),
            formatBytes,
          ),
          formatSpread(
            rounds.map((round) => round.watchResident),
            formatBytes,
          ),
        ]),
      },
    ],
    remarks: [],
  };
}
