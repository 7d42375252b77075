import type { Bench, BenchContext } from '../bench.ts';
import { formatBytes, formatCount, formatNumber, formatSpread } from '../report/format.ts';
import type { Section, Table } from '../report/section.ts';
import { pairwise, spreadOf } from '../report/statistics.ts';
import { type EndToEndFigures, measureEndToEnd } from './end-to-end.ts';
import { measureStores, type StoreFigures } from './store-level.ts';

/** One changed object among many: what its commit takes, in time and in bytes. */

export interface CommitFigures {
  readonly stores: readonly StoreFigures[];
  readonly endToEnd: readonly EndToEndFigures[];
}

/** The size that the targets are about. */
const JUDGED = 10_000;

export const commit: Bench<CommitFigures> = {
  name: 'commit',
  title: 'One changed object',
  summary: 'a commit of one object among 100 to 50,000: time and bytes, against git add && git commit and git gc',
  measure: measureCommit,
  describe: describeCommit,
};

async function measureCommit(context: BenchContext): Promise<CommitFigures> {
  const counts = context.isQuick ? [100, 500] : [100, 1000, JUDGED, 50_000];
  const rounds = context.isQuick ? 5 : 24;
  const stores: StoreFigures[] = [];
  for (const count of counts) {
    stores.push(await measureStores(count, rounds, context));
    context.tell(`${count} objects, in the store: ${formatSpread(stores.at(-1)?.keeper ?? [])} ms`);
  }
  const namespaces = counts.map((objects) => ({ name: `bench-${objects}`, objects }));
  const world = await context.world({ namespaces, bytes: 2048 });
  return { stores, endToEnd: await measureEndToEnd(world, rounds, context) };
}

function describeCommit({ stores, endToEnd }: CommitFigures): Section {
  const judged = stores.find(({ objects }) => objects === JUDGED) ?? stores.at(-1);
  if (judged === undefined) throw new Error('no store was measured');
  const { commits, before, after } = judged.bytes;
  const best = Math.min(after.gc - before.gc, after.repack - before.repack) / commits;
  return {
    how: [
      'A repository of generated manifests (2 KB, twelve kinds, so twelve folders) in which one ConfigMap after the other gets a new value. ' +
        "At the store, kubekeeper's time is from the new text to the commit that survives a power cut; Git's is writing the file, `git add FILE` and `git commit` in a " +
        'work tree that was just collected. In turn: ten commits of kubekeeper (their median counts), one of Git, one of Git with core.fsync=all.',
    ],
    targets: [
      {
        what: `time at ${formatCount(judged.objects)}, git add && git commit / kubekeeper`,
        reach: 'at least',
        limit: 4,
        value: spreadOf(pairwise(judged.git, judged.keeper)).median,
        unit: 'x',
      },
      {
        what: `bytes per commit at ${formatCount(judged.objects)}, kubekeeper / git gc`,
        reach: 'at most',
        limit: 3,
        value: (after.keeper - before.keeper) / commits / best,
        unit: 'x',
      },
    ],
    tables: [timeTable(stores), byteTable(stores), endToEndTable(endToEnd)],
    remarks: [
      'The slowest commits of kubekeeper waited, most likely, for a consolidation of its own beside them, which is included.',
      `Bytes are those of packs and indexes. "After" is after ${commits} commits and the consolidation that kubekeeper does by itself; "as it lies" is before that one. ` +
        '"git gc" is run on a copy; "repack" is `git repack -adf`, which tries every delta anew. The target compares with the smaller of both.',
      'End to end, the clock starts when the API server has answered the PATCH, which is within a few milliseconds of the watch event, and stops when the log line of the ' +
        'commit is read. One archiver watches all four namespaces.',
    ],
  };
}

function timeTable(stores: readonly StoreFigures[]): Table {
  const ratio = (over: readonly number[], under: readonly number[]) => formatSpread(pairwise(over, under));
  return {
    caption: 'At the store, milliseconds per commit',
    columns: [
      'objects',
      'kubekeeper',
      'slowest',
      'git',
      'git, core.fsync=all',
      'git / kubekeeper',
      'fsync=all / kubekeeper',
    ],
    rows: stores.map(({ objects, keeper, slowestKeeper, git, gitSynced }) => [
      formatCount(objects),
      formatSpread(keeper),
      formatNumber(slowestKeeper),
      formatSpread(git),
      formatSpread(gitSynced),
      ratio(git, keeper),
      ratio(gitSynced, keeper),
    ]),
  };
}

function byteTable(stores: readonly StoreFigures[]): Table {
  return {
    caption: 'Bytes on disk',
    columns: [
      'objects',
      'first commit',
      'after',
      'as it lies',
      'per commit',
      'git gc',
      'repack',
      'kubekeeper / better of both',
    ],
    rows: stores.map(({ objects, bytes: { commits, before, after, unattended } }) => {
      const own = (after.keeper - before.keeper) / commits;
      const [gc, repack] = [(after.gc - before.gc) / commits, (after.repack - before.repack) / commits];
      return [
        formatCount(objects),
        formatBytes(before.keeper),
        formatBytes(after.keeper),
        formatBytes(unattended),
        formatBytes(own),
        formatBytes(gc),
        formatBytes(repack),
        `${formatNumber(own / Math.min(gc, repack))} (whole: ${formatNumber(after.keeper / Math.min(after.gc, after.repack))})`,
      ];
    }),
  };
}

function endToEndTable(endToEnd: readonly EndToEndFigures[]): Table {
  return {
    caption: 'End to end on the API server, window zero, milliseconds',
    columns: ['objects', 'from the answer to the PATCH', 'from its sending', 'the commit alone'],
    rows: endToEnd.map(({ objects, fromAnswer, fromRequest, ofCommit }) => [
      formatCount(objects),
      formatSpread(fromAnswer),
      formatSpread(fromRequest),
      formatSpread(ofCommit),
    ]),
  };
}
