import type { Bench, BenchContext } from '../bench.ts';
import { keeperCommand } from '../measure/keeper.ts';
import { type Cost, runMeasured } from '../measure/run-measured.ts';
import { formatBytes, formatCount, formatNumber, formatSpread } from '../report/format.ts';
import type { Section } from '../report/section.ts';
import { pairwise, spreadOf } from '../report/statistics.ts';
import { countObjects, evenWorld } from '../world/world.ts';
import { prepareWays, type Way } from './ways.ts';

/** The first archive of a cluster, from the start of the process to the last durable commit. */

const WAYS: readonly Way[] = ['kubekeeper', 'floor', 'shell'];

type Round = Cost & { readonly bytes: number };

export interface ColdFigures {
  readonly objects: number;
  readonly namespaces: number;
  readonly resources: number;
  readonly listBytes: number;
  readonly files: number;
  readonly fileBytes: number;
  /** `kubekeeper --help`: what starting Node and loading the program takes. */
  readonly startSeconds: readonly number[];
  readonly rounds: Readonly<Record<Way, readonly Round[]>>;
}

export const cold: Bench<ColdFigures> = {
  name: 'cold',
  title: 'Cold archive',
  summary:
    'the first archive of 10,000 objects, against raw lists and git fast-import, and against kubectl, jq and git',
  measure: measureCold,
  describe: describeCold,
};

async function measureCold(context: BenchContext): Promise<ColdFigures> {
  const size = context.isQuick ? evenWorld(200, 5, 2048) : evenWorld(10_000, 50, 2048);
  const world = await context.world(size);
  const ways = await prepareWays(world, context);
  const rounds: Record<Way, Round[]> = { kubekeeper: [], floor: [], shell: [] };
  const startSeconds: number[] = [];
  for (let round = 1; round <= (context.isQuick ? 2 : 7); round++) {
    for (const way of WAYS) rounds[way].push(await ways.run(way));
    startSeconds.push((await runMeasured(keeperCommand(['archive', '--help']), context)).seconds);
    const last = WAYS.map((way) => `${way} ${formatNumber(rounds[way].at(-1)?.seconds ?? 0)} s`);
    context.tell(`round ${round}: ${last.join(', ')}`);
  }
  return {
    objects: countObjects(size),
    namespaces: size.namespaces.length,
    resources: ways.resources.length,
    listBytes: ways.listBytes,
    files: ways.archived.files,
    fileBytes: ways.archived.bytes,
    startSeconds,
    rounds,
  };
}

function describeCold(figures: ColdFigures): Section {
  const seconds = (way: Way) => figures.rounds[way].map((round) => round.seconds);
  const toFloor = pairwise(seconds('kubekeeper'), seconds('floor'));
  const toShell = pairwise(seconds('shell'), seconds('kubekeeper'));
  const rate = figures.files / spreadOf(seconds('kubekeeper')).median;
  return {
    how: [
      `${formatCount(figures.objects)} objects of twelve kinds in ${figures.namespaces} namespaces (${formatBytes(figures.listBytes)} of lists in ${figures.resources} ` +
        `resources that are not empty), archived into empty directories as ${formatCount(figures.files)} files of ${formatBytes(figures.fileBytes)}; ` +
        `${figures.rounds.kubekeeper.length} rounds, the three ways in turn. Each way is timed from the start of its first process to the end of its last. ` +
        "An untimed archive comes first, so programs, the API server and Node's cache of compiled code are warm for all.",
      '**kubekeeper** is `archive --once -o json` with its discovery and its lists of everything else. **floor** (bench/cold/floor.sh) is one curl that reads ' +
        'the same lists, unparsed, and one `git fast-import` per repository of finished manifests; its trees were checked to be the same. **shell** ' +
        '(bench/cold/by-shell.sh) is kubectl and jq per resource, then `git add` and `git commit` per namespace, which syncs no blob.',
    ],
    targets: [
      { what: 'time, kubekeeper / floor', reach: 'at most', limit: 3, value: spreadOf(toFloor).median, unit: 'x' },
      { what: 'time, shell / kubekeeper', reach: 'at least', limit: 3, value: spreadOf(toShell).median, unit: 'x' },
    ],
    tables: [
      {
        caption: 'Each way',
        columns: ['', 'seconds', 'CPU seconds', 'largest process', 'on disk'],
        rows: WAYS.map((way) => describeWay(way, figures.rounds[way])),
      },
      {
        caption: 'Ratios of time, round by round',
        columns: ['', 'ratio'],
        rows: [
          ['kubekeeper / floor', formatSpread(toFloor)],
          ['shell / kubekeeper', formatSpread(toShell)],
        ],
      },
    ],
    remarks: [
      `kubekeeper archives ${formatCount(rate)} files a second, the start of the process included.`,
      `Starting the program takes ${formatSpread(figures.startSeconds)} s of its time (measured as \`archive --help\`).`,
      'Where the rest of the time goes is in the section on the profile.',
    ],
  };
}

function describeWay(way: Way, rounds: readonly Round[]): readonly string[] {
  const of = (field: keyof Round) => rounds.map((round) => round[field]);
  return [
    way,
    formatSpread(of('seconds')),
    formatSpread(of('cpuSeconds')),
    formatBytes(spreadOf(of('peakBytes')).median),
    formatBytes(spreadOf(of('bytes')).median),
  ];
}
