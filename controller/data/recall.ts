import { labelsOf } from '../core/data/claims.ts';
import type { DataCommit } from '../core/data/points.ts';
import { archiveLabels, RUN_LABEL, selectorOf } from '../core/data/snapshot-names.ts';
import { askedAfter } from '../core/data/snapshot-objects.ts';
import { type KubeObject, stringAt } from '../core/object.ts';
import { sideBySide } from '../core/streams.ts';
import type { Repository } from '../git/repository.ts';
import type { Engine } from './engine.ts';
import { failedAndLiving, namesIn, type Orphan, orphanOf, sweepRestores } from './orphans.ts';
import { newest, notedSnapshots, readDataCommits } from './read-history.ts';
import { removeSnapshot } from './remove-snapshot.ts';
import type { Run } from './run.ts';
import { unfinishedRuns } from './take-up.ts';

/** What an earlier process left of one repository. */

export interface Recalled {
  /** To be followed on. */
  readonly runs: readonly Run[];
  readonly orphans: readonly Orphan[];
  /** Some are called pruned, and the driver may have them still. */
  readonly isHalfPruned: boolean;
}

/** What was asked for longer ago was decided, or nobody would have gone on. */
const UNDECIDED = 500;

/** `isOurs`: asked for by this process, whose commit may be on its way. Throws KeeperError. */
export async function recall(engine: Engine, repository: string, isOurs: (run: string) => boolean): Promise<Recalled> {
  // First the cluster: what a commit names by the time that history is read is no orphan.
  const live = await readLive(engine, repository);
  const commits = await engine.access.within(repository, (open) =>
    readDataCommits(open, { limit: newest(open, UNDECIDED), onOdd: () => undefined }),
  );
  if (commits === undefined) return { runs: [], orphans: [], isHalfPruned: false };
  const runs = unfinishedRuns(repository, commits, live).filter(({ id }) => !isOurs(id));
  const strangers = [...live.values()].filter((one) => !isOurs(labelsOf(one)[RUN_LABEL] ?? ''));
  const orphans = await orphansAmong(engine, repository, unnamed(strangers, namesIn(commits)));
  const failed = failedAndLiving(decided(commits, runs), live);
  return { runs, orphans: [...orphans.map(orphanOf), ...failed], isHalfPruned: commits.some(isHalfPruned) };
}

function unnamed(snapshots: readonly KubeObject[], names: ReadonlySet<string>): readonly KubeObject[] {
  return snapshots.filter(({ metadata }) => !names.has(metadata.name));
}

/** What is kept long is named by old commits: only where something looks like an orphan is more of the history read. */
async function orphansAmong(
  engine: Engine,
  repository: string,
  suspects: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  if (suspects.length === 0) return [];
  const found = await engine.access.within(repository, async (open) => {
    const names = notedSnapshots(open) ?? namesIn(await readDataCommits(open, { onOdd: () => undefined }));
    return unnamed(suspects, names).filter((one) => isForgotten(engine, open, one));
  });
  return found ?? [];
}

const HOUR_MS = 3_600_000;

/**
 * It was asked for with a commit that was to follow one of this history, and never came. Whatever else no commit names may be named by a
 * history that was damaged and put aside, or by a line that ended: it is somebody's data.
 */
function isForgotten({ parts }: Engine, { store }: Repository, snapshot: KubeObject): boolean {
  const after = askedAfter(snapshot);
  if (after === undefined) return false;
  if (after !== '') return store.has(after);
  const createdAt = Date.parse(stringAt(snapshot.metadata, 'creationTimestamp') ?? '');
  return parts.clock.wall() - createdAt < HOUR_MS;
}

/** Runs that are followed see to their failures themselves. */
function decided(commits: readonly DataCommit[], runs: readonly Run[]): readonly DataCommit[] {
  const followed = new Set(runs.map(({ commit }) => commit));
  return commits.filter(({ id }) => !followed.has(id));
}

function isHalfPruned({ note }: DataCommit): boolean {
  return Object.values(note?.claims ?? {}).some(
    ({ state, removedAt }) => state === 'pruned' && removedAt === undefined,
  );
}

/** Our VolumeSnapshots and VolumeGroupSnapshots by name. */
async function readLive(
  { cluster, parts, signal }: Engine,
  namespace: string,
): Promise<ReadonlyMap<string, KubeObject>> {
  const served = await cluster.served(signal);
  const where = { namespace, labelSelector: selectorOf(archiveLabels(parts.archiveId)) };
  const kinds = (['snapshots', 'groups'] as const).filter((kind) => served[kind] !== undefined);
  const found = await Promise.all(kinds.map((kind) => cluster.list(kind, where, signal)));
  return new Map(found.flat().map((one) => [one.metadata.name, one]));
}

const SIDE_BY_SIDE = 4;

/** Removes orphans and what restores left; answers nothing, but reports. Throws KeeperError when some are left. */
export async function sweep(engine: Engine, repository: string, orphans: readonly Orphan[]): Promise<void> {
  const { access, cluster, signal } = engine;
  const gone: string[] = [];
  const tell = () => {
    if (gone.length === 0) return;
    const snapshots = renderNames(gone);
    access.report({ type: 'snapshots-removed', repository, why: 'orphaned', count: gone.length, snapshots });
  };
  try {
    await sideBySide(orphans, SIDE_BY_SIDE, async ({ snapshot, records }) => {
      await access.guard();
      await removeSnapshot(engine, { namespace: repository, records });
      gone.push(snapshot);
    });
    const { contents } = await cluster.served(signal);
    if (contents !== undefined) gone.push(...(await sweepRestores(engine, repository)));
  } finally {
    tell();
  }
}

const MOST_NAMED = 5;

export function renderNames(names: readonly string[]): string {
  const rest = names.length > MOST_NAMED ? [`and ${names.length - MOST_NAMED} more`] : [];
  return [...[...names].sort().slice(0, MOST_NAMED), ...rest].join(', ');
}
