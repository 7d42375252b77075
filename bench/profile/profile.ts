import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, BenchContext } from '../bench.ts';
import { archiveOnceArgs, keeperCommand, readReport } from '../measure/keeper.ts';
import { runMeasured } from '../measure/run-measured.ts';
import { formatCount, formatNumber, formatShare } from '../report/format.ts';
import type { Section } from '../report/section.ts';
import { countObjects, evenWorld } from '../world/world.ts';
import { categoryOf, frameLabel, WAITING } from './categories.ts';
import { type Frame, readProfile } from './read-profile.ts';

/** Where the time of a cold archive goes: V8's CPU profile of `archive --once`, summed up. */

interface Share {
  readonly name: string;
  readonly ms: number;
}

export interface ProfileFigures {
  readonly objects: number;
  readonly seconds: number;
  readonly categories: readonly Share[];
  readonly functions: readonly Share[];
}

const LISTED_FUNCTIONS = 20;

export const profile: Bench<ProfileFigures> = {
  name: 'profile',
  title: 'Where the time of a cold archive goes',
  summary: 'a CPU profile of the cold archive, summed up by kind of work and by function',
  measure: measureProfile,
  describe: describeProfile,
};

async function measureProfile(context: BenchContext): Promise<ProfileFigures> {
  const size = context.isQuick ? evenWorld(200, 5, 2048) : evenWorld(10_000, 50, 2048);
  const { cluster } = await context.world(size);
  const profiles = join(context.directory, 'profiles');
  const flags = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=500'];
  const args = archiveOnceArgs(cluster.kubeconfig, join(context.directory, 'archive'));
  const run = await runMeasured(keeperCommand(args, flags), context);
  readReport(run.output, countObjects(size));
  const [file] = await readdir(profiles);
  if (file === undefined) throw new Error('Node wrote no CPU profile');
  const frames = await readProfile(join(profiles, file));
  return {
    objects: countObjects(size),
    seconds: run.seconds,
    categories: sumBy(frames, categoryOf),
    functions: sumBy(
      frames.filter((frame) => categoryOf(frame) !== WAITING),
      frameLabel,
    ).slice(0, LISTED_FUNCTIONS),
  };
}

/** Largest first. */
function sumBy(frames: readonly Frame[], nameOf: (frame: Frame) => string): readonly Share[] {
  const sums = new Map<string, number>();
  for (const frame of frames) sums.set(nameOf(frame), (sums.get(nameOf(frame)) ?? 0) + frame.selfMs);
  return [...sums].map(([name, ms]) => ({ name, ms })).sort((left, right) => right.ms - left.ms);
}

function describeProfile({ objects, seconds, categories, functions }: ProfileFigures): Section {
  const busy = categories.filter(({ name }) => name !== WAITING).reduce((sum, { ms }) => sum + ms, 0);
  const row = ({ name, ms }: Share) => [name, formatNumber(ms), name === WAITING ? '' : formatShare(ms / busy)];
  const largest = categories.filter(({ name }) => name !== WAITING).slice(0, 3);
  const words = largest.map(({ name, ms }) => `${name} ${formatShare(ms / busy)}`).join(', ');
  return {
    how: [
      `\`node --cpu-prof\` on the cold archive of ${formatCount(objects)} objects, one run of ${formatNumber(seconds)} s (profiling slows it). Only the main ` +
        'thread is seen: file writes and syncs that wait in other threads count as waiting.',
    ],
    targets: [],
    tables: [
      { caption: 'By kind of work', columns: ['', 'ms', 'of busy time'], rows: categories.map(row) },
      { caption: 'By function, without what it calls', columns: ['', 'ms', 'of busy time'], rows: functions.map(row) },
    ],
    remarks: [`The largest parts of the busy time: ${words}.`],
  };
}
