import { dataOfCommit } from '../core/data/cadence.ts';
import { type DataNote, renderNote } from '../core/data/record.ts';
import { planSnapshots, type SnapshotPlan } from '../core/data/snapshot-plan.ts';
import { renderSnapshotTrailers, type SnapshotTrailers } from '../core/data/snapshot-trailers.ts';
import type { CommitData } from '../core/data/volume-data.ts';
import { type KubeObject, stringAt } from '../core/object.ts';
import { pause } from '../core/pause.ts';
import { KeeperError } from '../errors.ts';
import { askFor, beginRun, skippedOf } from './ask.ts';
import { type Engine, passing } from './engine.ts';
import type { History } from './history.ts';
import type { Keeper } from './keeper.ts';
import { writeNote } from './notes.ts';
import { readVolumes } from './read-volumes.ts';
import type { Runs } from './runs.ts';

/** A commit does not wait longer for the cluster; somebody who asked for a backup does. */
const PLAN_MS = 2000;
const FORCED_PLAN_MS = 15_000;
/** What is refused by then is not named in the commit. */
const ASK_MS = 300;

const NO_PLAN: SnapshotPlan = { alone: [], groups: [], skipped: [] };
const NO_SNAPSHOTS: SnapshotTrailers = { snapshots: new Map(), coveredBy: undefined };

/** What the next commit says of volumes; whatever it needs is asked for. Throws KeeperError when the cluster does not answer in time. */
export async function dataOfNext(engine: Engine, keeper: Keeper, runs: Runs, isForced: boolean): Promise<CommitData> {
  const { parts, cluster, access, signal } = engine;
  const read = (until: AbortSignal) => readVolumes(cluster, keeper.repository, until);
  // First: what is due later is counted from it, should the cluster not answer.
  const history = await keeper.history();
  if (history === undefined) return withoutData(engine, keeper);
  const volumes = await withinTime(isForced ? FORCED_PLAN_MS : PLAN_MS, signal, read);
  const plan = volumes === undefined ? NO_PLAN : planSnapshots(volumes, parts.policy);
  tellImpossible(engine, keeper, plan);
  const claims = claimsOf(plan);
  if (volumes === undefined || claims.length === 0) {
    keeper.idle(impossibleIn(plan).length > 0);
    return withoutRun(engine, keeper, NO_SNAPSHOTS, unsaidIn(plan, history));
  }
  keeper.busy();
  if (!isForced) {
    const now = parts.clock.wall();
    const data = dataOfCommit(claims, keeper.runsAt(now, history), parts.policy.cadence, now);
    const isCovered = data.kind === 'covered';
    const named = isCovered ? { snapshots: data.snapshots, coveredBy: data.commit } : NO_SNAPSHOTS;
    if (data.kind !== 'ask') return withoutRun(engine, keeper, named, undefined);
  }
  const after = await access.within(keeper.repository, async ({ head }) => head ?? '');
  if (after === undefined) return withoutData(engine, keeper);
  await access.guard();
  return await withRun(engine, { keeper, runs, plan, after, pods: volumes.pods });
}

function claimsOf({ alone, groups }: SnapshotPlan) {
  return [...alone, ...groups.flatMap(({ members }) => members)].map(({ claim: { metadata } }) => ({
    name: metadata.name,
    uid: stringAt(metadata, 'uid') ?? '',
  }));
}

function impossibleIn({ skipped }: SnapshotPlan): SnapshotPlan['skipped'] {
  return skipped.filter(({ kind }) => kind === 'impossible');
}

/** Told when it begins, changes and ends. */
function tellImpossible({ access }: Engine, keeper: Keeper, plan: SnapshotPlan): void {
  const impossible = impossibleIn(plan);
  const reasons = impossible.map(({ name, why }) => `${name}: ${why}`).join('; ');
  if (reasons === keeper.told) return;
  keeper.told = reasons;
  access.report({ type: 'snapshots-impossible', repository: keeper.repository, claims: impossible.length, reasons });
}

/** Why nothing could be asked for, where no note says so yet. */
function unsaidIn(plan: SnapshotPlan, history: History): DataNote | undefined {
  if (impossibleIn(plan).length === 0) return undefined;
  const skipped = skippedOf(plan);
  const words = (what: DataNote['skipped']) => renderNote({ version: 1, ...(what && { skipped: what }) });
  return words(history.skipped) === words(skipped) ? undefined : { version: 1, skipped };
}

async function withRun(
  engine: Engine,
  what: { keeper: Keeper; runs: Runs; plan: SnapshotPlan; after: string; pods: readonly KubeObject[] },
): Promise<CommitData> {
  const { keeper, runs, plan, after, pods } = what;
  const { repository } = keeper;
  const run = beginRun(engine, repository, after, plan);
  runs.begin(run, () => askFor(engine, run, plan, pods));
  await Promise.race([run.asking, pause(ASK_MS, engine.signal)]);
  const named = { snapshots: run.named, coveredBy: undefined };
  return {
    trailers: renderSnapshotTrailers(named),
    asked: named.snapshots.size,
    committed: async (id) => {
      run.commit = id;
      keeper.wake();
      const { note } = run;
      keeper.known?.add({ id, time: engine.parts.clock.wall(), tags: [], ...named, note });
      const isNoted = await tryNote(engine, repository, id, note);
      const told = { repository, commit: id, claims: named.snapshots.size, impossible: impossibleIn(plan).length };
      engine.access.report({ type: 'snapshots-asked', ...told });
      runs.follow(keeper, run, isNoted ? renderNote(note) : '');
      keeper.end();
    },
    abandoned: async () => {
      keeper.rest();
      runs.takeBack(run);
      keeper.end();
    },
  };
}

/** A commit that asks for nothing itself. */
function withoutRun(engine: Engine, keeper: Keeper, named: SnapshotTrailers, note: DataNote | undefined): CommitData {
  return {
    trailers: renderSnapshotTrailers(named),
    asked: 0,
    committed: async (id) => {
      keeper.known?.add({ id, time: engine.parts.clock.wall(), tags: [], ...named, note });
      if (note !== undefined) await tryNote(engine, keeper.repository, id, note);
      keeper.end();
    },
    abandoned: async () => keeper.end(),
  };
}

/** The commit says nothing of volumes. */
export function withoutData(engine: Engine, keeper: Keeper): CommitData {
  return withoutRun(engine, keeper, NO_SNAPSHOTS, undefined);
}

/** False when the disk did not take it: it is written later. */
async function tryNote(engine: Engine, repository: string, commit: string, note: DataNote): Promise<boolean> {
  try {
    return await writeNote(engine, repository, commit, note);
  } catch (error) {
    const { code, message } = passing(error);
    const told = { repository, doing: 'follow', code, reason: message, afterMs: 0 } as const;
    engine.access.report({ type: 'snapshots-failed', ...told });
    return false;
  }
}

async function withinTime<T>(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const tooLate = new AbortController();
  const error = new KeeperError(
    `The cluster did not say within ${ms / 1000} s which claims there are; the commit is made without its volumes, which follow`,
    { kind: 'transient', code: 'CLUSTER_BUSY' },
  );
  const timer = setTimeout(() => tooLate.abort(error), ms);
  try {
    return await work(AbortSignal.any([signal, tooLate.signal]));
  } finally {
    clearTimeout(timer);
  }
}
