import type { Bench, BenchContext } from '../bench.ts';
import { formatBytes, formatCount, formatNumber, formatSpread, mebibytes } from '../report/format.ts';
import type { Section, Table, Target } from '../report/section.ts';
import { pairwise, spreadOf } from '../report/statistics.ts';
import { type FirstPushFigures, measureFirstPush } from './first-push.ts';
import { type ManyFigures, measureMany } from './many.ts';
import { measureOneChange, type OneChangeFigures } from './one-change.ts';
import { Serving } from './serving.ts';

/** What a push takes, side by side with `git push` of the same commits to the same server. */

export interface PushFigures {
  readonly oneChange: OneChangeFigures;
  readonly first: readonly FirstPushFigures[];
  readonly many: ManyFigures;
}

export const push: Bench<PushFigures> = {
  name: 'push',
  title: 'Push',
  summary: 'one change, a first push, 200 repositories: time, bytes and memory, against git push to the same server',
  measure: measurePush,
  describe: describePush,
};

async function measurePush(context: BenchContext): Promise<PushFigures> {
  const { isQuick } = context;
  await using serving = await Serving.start(context.signal);
  const oneChange = await measureOneChange(isQuick ? 300 : 10_000, isQuick ? 4 : 24, serving, context);
  context.tell(`one change: ${formatSpread(oneChange.keeper)} ms, git ${formatSpread(oneChange.git)} ms`);
  const sizes = isQuick
    ? [{ files: 300, commits: 1 }]
    : [
        { files: 10_000, commits: 1 },
        { files: 1000, commits: 10_000 },
      ];
  const first: FirstPushFigures[] = [];
  for (const size of sizes) {
    const figures = await measureFirstPush(size, isQuick ? 2 : 7, serving, context);
    first.push(figures);
    const seconds = figures.keeper.map((cost) => cost.seconds);
    context.tell(`first push, ${size.files} files, ${size.commits} commits: ${formatSpread(seconds)} s`);
  }
  const size = isQuick ? { repositories: 10, objects: 20 } : { repositories: 200, objects: 50 };
  const many = await measureMany({ ...size, sideBySide: 8 }, isQuick ? 2 : 5, serving, context);
  context.tell(`${size.repositories} repositories: ${formatSpread(many.keeper)} s`);
  return { oneChange, first, many };
}

function describePush({ oneChange, first, many }: PushFigures): Section {
  return {
    how: [
      'The server is the real `git http-backend` behind plain HTTP on loopback, in a process of its own; both sides push the same commits to it, each to repositories of its ' +
        "own, in turn. kubekeeper's time is from asking for the refs to the end of the report; Git's is the process `git push` from a bare clone, which cannot be had " +
        'without starting it. A first push of kubekeeper has a process of its own, just started with the settings of `kubekeeper archive`; the push alone is timed.',
    ],
    targets: [...oneChangeTargets(oneChange), ...firstTargets(first), manyTarget(many)],
    tables: [oneChangeTable(oneChange), firstTable(first), manyTable(many)],
    remarks: [
      'Bytes are those of the request with the pack, as the server got them.',
      'kubekeeper copies what lies deflated in its packs and makes deltas against the version before, never against neighbours. A first push of a long history costs it ' +
        'the comparison of each tree with the one before, on one core; Git reads the same trees in C.',
      'Of a push of one change two thirds of the processor time are the programs of the server: `git http-backend` twice, `receive-pack`, `unpack-objects`, `rev-list`.',
    ],
  };
}

function oneChangeTargets({ objects, keeper, git, keeperBytes, gitBytes }: OneChangeFigures): readonly Target[] {
  const what = (of: string) => `${of} of one change among ${formatCount(objects)}, kubekeeper / git push`;
  const ratio = { reach: 'at most', unit: 'x' } as const;
  return [
    { ...ratio, what: what('time'), limit: 1, value: spreadOf(pairwise(keeper, git)).median },
    { ...ratio, what: what('bytes'), limit: 2, value: spreadOf(pairwise(keeperBytes, gitBytes)).median },
  ];
}

function firstTargets(first: readonly FirstPushFigures[]): readonly Target[] {
  return first.flatMap((figures) => {
    const name = nameOf(figures);
    const peak = spreadOf(figures.keeper.map(({ peakBytes }) => mebibytes(peakBytes))).most;
    const value = spreadOf(timeRatios(figures)).median;
    return [
      { what: `time of a first push, ${name}, kubekeeper / git push`, reach: 'at most', limit: 3, value, unit: 'x' },
      { what: `peak memory of a first push, ${name}`, reach: 'at most', limit: 300, value: peak, unit: 'MiB' },
    ] as const;
  });
}

function manyTarget({ repositories, sideBySide, keeper }: ManyFigures): Target {
  const what = `pushes of one change each to ${repositories} repositories, ${sideBySide} side by side`;
  const value = spreadOf(keeper.map((seconds) => repositories / seconds)).median;
  return { what, reach: 'at least', limit: 20, value, unit: '/s' };
}

function oneChangeTable({ objects, keeper, git, keeperBytes, gitBytes }: OneChangeFigures): Table {
  const ratio = (over: readonly number[], under: readonly number[]) => formatSpread(pairwise(over, under));
  return {
    caption: `One change among ${formatCount(objects)} objects, ${keeper.length} rounds`,
    columns: ['', 'milliseconds', 'bytes'],
    rows: [
      ['kubekeeper', formatSpread(keeper), formatSpread(keeperBytes, formatCount)],
      ['git push', formatSpread(git), formatSpread(gitBytes, formatCount)],
      ['kubekeeper / git push', ratio(keeper, git), ratio(keeperBytes, gitBytes)],
    ],
  };
}

function firstTable(first: readonly FirstPushFigures[]): Table {
  return {
    caption: `A first push, ${first[0]?.keeper.length} rounds`,
    columns: [
      'files, commits',
      'objects',
      'kubekeeper, s',
      'git push, s',
      'ratio',
      'peak',
      'bytes',
      'bytes of git push',
    ],
    rows: first.map((figures) => [
      nameOf(figures),
      formatCount(figures.objects),
      formatSpread(figures.keeper.map(({ seconds }) => seconds)),
      formatSpread(figures.git.map(({ seconds }) => seconds)),
      formatSpread(timeRatios(figures)),
      formatSpread(
        figures.keeper.map(({ peakBytes }) => peakBytes),
        formatBytes,
      ),
      formatBytes(figures.keeperBytes),
      formatBytes(figures.gitBytes),
    ]),
  };
}

function manyTable({ repositories, objects, sideBySide, keeper, git }: ManyFigures): Table {
  const row = (who: string, seconds: readonly number[]) => [
    who,
    formatSpread(seconds),
    formatSpread(
      seconds.map((one) => repositories / one),
      formatNumber,
    ),
  ];
  return {
    caption: `${repositories} repositories of ${objects} objects with one change each, ${sideBySide} side by side`,
    columns: ['', 'seconds for all', 'pushes a second'],
    rows: [row('kubekeeper', keeper), row('git push', git)],
  };
}

function nameOf({ files, commits }: FirstPushFigures): string {
  return `${formatCount(files)} files in ${commits === 1 ? 'one commit' : `${formatCount(commits)} commits`}`;
}

function timeRatios({ keeper, git }: FirstPushFigures): readonly number[] {
  return pairwise(
    keeper.map(({ seconds }) => seconds),
    git.map(({ seconds }) => seconds),
  );
}
