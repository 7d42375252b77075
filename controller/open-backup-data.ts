import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from './cluster/connect.ts';
import { openRestoreTarget } from './cluster/open-restore-target.ts';
import type { ArchiveConfig } from './config.ts';
import { type ClaimData, claimsOfNote, claimsOfPlan } from './core/data/claim-data.ts';
import { type Grade, gradeOf } from './core/data/grade.ts';
import type { DataPolicy } from './core/data/policy.ts';
import { planSnapshots } from './core/data/snapshot-plan.ts';
import { CLUSTER_REPOSITORY } from './core/object.ts';
import { readVolumes } from './data/read-volumes.ts';
import { SnapshotCluster } from './data/snapshot-cluster.ts';
import { isBeingWritten } from './git/is-written.ts';
import type { ObjectId } from './git/object-id.ts';
import { openArchive } from './git/open-archive.ts';
import { type AskedData, askedBetween } from './history/asked-data.ts';
import { systemClock } from './system-clock.ts';

/** What became of the volume data of a backup: read from Git while it becomes, and from the cluster where nothing was asked for. */

export interface BackupData {
  readonly grade: Grade;
  /** 'partial: 2 of 3 claims (logs: not ready after 10 min)'. */
  readonly words: string;
  /** All that the namespace has. */
  readonly claims: readonly ClaimData[];
  /** The commit that asked for them; undefined where nothing was asked for. */
  readonly asked?: ObjectId;
}

/** The commits of a backup: those after `before`, up to `commit`. */
export interface BackupSpan {
  readonly directory: string;
  readonly before: ObjectId | undefined;
  readonly commit: ObjectId | undefined;
}

const LOOKS_MS = [100, 250, 500, 1000] as const;

/** What can be read of it now; `commit` undefined is up to HEAD. */
export async function readAsked({ directory, before, commit }: BackupSpan): Promise<AskedData | undefined> {
  using archive = await openArchive(directory, { trusted: true });
  const to = commit ?? archive.head;
  return to === undefined ? undefined : askedBetween(archive, before, to);
}

/** Waits until nothing is pending, as long as somebody archives there. Undefined where nothing was asked for. */
export async function waitForData(
  dataDirectory: string,
  span: BackupSpan,
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (claims: readonly ClaimData[]) => void },
): Promise<BackupData | undefined> {
  for (let look = 0; ; look++) {
    const isWritten = await isBeingWritten(dataDirectory);
    // Read after that look: what was written last is seen.
    const asked = await readAsked(span);
    if (asked === undefined) return undefined;
    const claims = claimsOfNote(asked.note, asked.snapshots);
    tell(claims);
    if (!isWritten || claims.every(({ state }) => state !== 'pending')) return dataOf(asked, claims);
    await sleep(LOOKS_MS[Math.min(look, LOOKS_MS.length - 1)], undefined, { signal });
  }
}

function dataOf({ commit, note }: AskedData, claims: readonly ClaimData[]): BackupData {
  if (note !== undefined) {
    const { grade, words } = gradeOf(note);
    return { grade, words, claims, asked: commit };
  }
  return { grade: 'pending', words: 'pending: nothing is known of them yet', claims, asked: commit };
}

/** Nothing was asked for: what the cluster has to say of its claims, by this policy; `why` is for those that should have been. */
export async function lookAtClaims(
  config: ArchiveConfig & { readonly data: DataPolicy },
  namespace: string,
  { why, signal }: { readonly why: string; readonly signal: AbortSignal },
): Promise<BackupData> {
  if (namespace === CLUSTER_REPOSITORY) return { grade: 'none', words: 'none: no claims', claims: [] };
  await using connection = await connect(config);
  const cluster = new SnapshotCluster(openRestoreTarget(connection, { signal }), systemClock);
  const volumes = await readVolumes(cluster, namespace, signal);
  const claims = volumes === undefined ? [] : claimsOfPlan(planSnapshots(volumes, config.data), why);
  const lost = claims.filter(({ state }) => state !== 'excluded');
  const words = lost.map(({ name, why: reason }) => `${name}: ${reason}`).join('; ');
  const of = `0 of ${lost.length} ${lost.length === 1 ? 'claim' : 'claims'}`;
  return { grade: 'none', words: lost.length === 0 ? 'none: no claims' : `none: ${of} (${words})`, claims };
}
