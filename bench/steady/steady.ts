import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Bench, BenchContext } from '../bench.ts';
import { repositoriesIn } from '../git/repositories.ts';
import { Archiver } from '../measure/archiver.ts';
import { readMemory } from '../measure/peak-memory.ts';
import { formatBytes, formatCount, formatNumber, formatShare } from '../report/format.ts';
import type { Section } from '../report/section.ts';
import { countObjects, evenWorld, type World } from '../world/world.ts';
import { type Changes, makeChanges } from './make-changes.ts';
import type { Phase } from './observe-process.ts';
import { countStale } from './verify-in-git.ts';

/** Changes at a steady rate: does the archiver keep up, and what does it cost? */

export interface SteadyFigures {
  readonly objects: number;
  readonly namespaces: number;
  readonly perSecond: number;
  /** Sent, and how long that took with the last answer. */
  readonly changes: number;
  readonly seconds: number;
  readonly changedObjects: number;
  /** From the last answer until Git held every last value. */
  readonly settledSeconds: number;
  readonly commits: number;
  readonly residentBytes: number;
  /** The first lists and commits; then the changes and what settled after them. */
  readonly first: Phase;
  readonly steady: Phase;
}

const WINDOW_SECONDS = 30;
const FIRST_SYNC_LIMIT_MS = 5 * 60_000;

export const steady: Bench<SteadyFigures> = {
  name: 'steady',
  title: 'Steady changes',
  summary: '50 changes a second for a minute over 50 namespaces: are they in Git in time, at which cost',
  measure: measureSteady,
  describe: describeSteady,
};

async function measureSteady(context: BenchContext): Promise<SteadyFigures> {
  const size = context.isQuick ? evenWorld(200, 5, 2048) : evenWorld(10_000, 50, 2048);
  const pace = { perSecond: 50, seconds: context.isQuick ? 5 : 60 };
  const world = await context.world(size);
  const dataDirectory = join(context.directory, 'archive');
  const observations = join(context.directory, 'observations.json');
  const run = await runArchiver(world, { dataDirectory, observations, pace }, context);
  const [first, steadyPhase] = JSON.parse(await readFile(observations, 'utf8')) as readonly Phase[];
  if (first === undefined || steadyPhase === undefined)
    throw new Error('kubekeeper did not say how its event loop did');
  return {
    objects: countObjects(size),
    namespaces: size.namespaces.length,
    perSecond: pace.perSecond,
    ...run,
    first,
    steady: steadyPhase,
  };
}

async function runArchiver(
  world: World,
  options: {
    readonly dataDirectory: string;
    readonly observations: string;
    readonly pace: { readonly perSecond: number; readonly seconds: number };
  },
  context: BenchContext,
): Promise<Omit<SteadyFigures, 'objects' | 'namespaces' | 'perSecond' | 'first' | 'steady'>> {
  const { dataDirectory } = options;
  const nodeFlags = ['--import', pathToFileURL(join(import.meta.dirname, 'observe-process.ts')).href];
  await using archiver = new Archiver(
    ['archive', '--kubeconfig', world.cluster.kubeconfig, '--data-dir', dataDirectory],
    { signal: context.signal, nodeFlags, environment: { BENCH_OBSERVATIONS: options.observations } },
  );
  await archiver.untilArchived(
    world.size.namespaces.map(({ name }) => name),
    FIRST_SYNC_LIMIT_MS,
  );
  context.tell(`first archive done in ${(await repositoriesIn(dataDirectory)).length} repositories`);
  await sleep(2000, undefined, { signal: context.signal });
  archiver.kill('SIGUSR2');
  const read = archiver.lines.length;
  const changes = await makeChanges(world, options.pace, context.signal);
  context.tell(`${changes.count} changes made in ${formatNumber(changes.seconds)} s`);
  const settledSeconds = await waitUntilSettled(dataDirectory, changes, context.signal);
  // The log of the last commits may still be on its way.
  await sleep(1000, undefined, { signal: context.signal });
  const commits = archiver.lines.slice(read).filter(({ event }) => event === 'committed').length;
  const residentBytes = readMemory(archiver.pid).resident;
  const { count, seconds, last } = changes;
  return { changes: count, seconds, changedObjects: last.size, settledSeconds, commits, residentBytes };
}

/** Looks once a second; gives up after twice the time that is allowed, so that a miss has a figure too. */
async function waitUntilSettled(dataDirectory: string, changes: Changes, signal: AbortSignal): Promise<number> {
  for (;;) {
    const seconds = (performance.now() - changes.endedAt) / 1000;
    const stale = countStale(dataDirectory, changes.last);
    if (stale === 0) return seconds;
    if (seconds > 2 * WINDOW_SECONDS)
      throw new Error(`${stale} objects are not in Git ${Math.round(seconds)} s after the end`);
    await sleep(1000, undefined, { signal });
  }
}

function describeSteady(figures: SteadyFigures): Section {
  const { objects, namespaces, perSecond, changes, seconds, changedObjects, settledSeconds, commits } = figures;
  const { steady: phase, first } = figures;
  const delays = ({ delay }: Phase) => [delay.p50, delay.p99, delay.p999, delay.most].map(formatNumber);
  const row = (name: string, one: Phase) => [
    name,
    formatNumber(one.seconds),
    `${formatNumber(one.cpuSeconds)} (${formatShare(one.cpuSeconds / one.seconds)} of a core)`,
    ...delays(one),
  ];
  return {
    how: [
      `${formatCount(changes)} PATCHes of ConfigMaps, ${perSecond} a second (sent within ${formatNumber(seconds)} s) over ${namespaces} namespaces with ${formatCount(objects)} objects, ` +
        'while `archive` runs with its own windows (5 s of silence, 30 s at most). After the last answer the real Git is asked once a second for the last value of each of the ' +
        `${formatCount(changedObjects)} changed objects.`,
    ],
    targets: [
      { what: 'in Git after the end', reach: 'at most', limit: WINDOW_SECONDS, value: settledSeconds, unit: 's' },
      { what: 'event-loop delay, p99', reach: 'at most', limit: 100, value: phase.delay.p99, unit: 'ms' },
    ],
    tables: [
      {
        caption: 'The process',
        columns: ['', 'seconds', 'CPU seconds', 'delay p50, ms', 'p99', 'p99.9', 'most'],
        rows: [row('first lists and commits', first), row('changes, and until settled', phase)],
      },
    ],
    remarks: [
      `All windows begin with the first changes, a second apart at most, so their second round ends soon after the last change; the longest that a change can wait is ${WINDOW_SECONDS} s.`,
      `${formatCount(commits)} commits hold the changes; ${formatNumber((phase.cpuSeconds / changes) * 1000)} ms of CPU per change, ${formatBytes(figures.residentBytes)} resident at the end.`,
      "The delays are those of perf_hooks' monitorEventLoopDelay inside the process, with its timer of 10 ms included in each: 10 ms is no delay at all. One long " +
        'stop counts as one delay, so look at the last column too.',
    ],
  };
}
