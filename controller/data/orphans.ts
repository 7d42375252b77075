import { snapshotOf } from '../core/data/binding.ts';
import type { DataCommit } from '../core/data/points.ts';
import type { ClaimRecord } from '../core/data/record.ts';
import { RESTORE_LABELS, selectorOf } from '../core/data/snapshot-names.ts';
import { CLAIMS } from '../core/endpoints.ts';
import { type KubeObject, objectAt, stringAt } from '../core/object.ts';
import type { Engine } from './engine.ts';
import { isUnreadable } from './read-history.ts';

/** What nobody needs: snapshots that no commit names, that failed, or that a restore left behind. */

export interface Orphan {
  readonly snapshot: string;
  /** One, or those of a group. */
  readonly records: readonly ClaimRecord[];
}

/** VolumeSnapshots that commits name, in their trailers or their notes. */
export function namesIn(commits: readonly DataCommit[]): ReadonlySet<string> {
  const noted = commits.flatMap(({ note }) => Object.values(note?.claims ?? {}));
  return new Set([
    ...commits.flatMap(({ snapshots }) => [...snapshots.values()]),
    ...noted.map(({ volumeSnapshot }) => volumeSnapshot),
  ]);
}

/** As it can be removed by its name alone. */
export function orphanOf(object: KubeObject): Orphan {
  const { name } = object.metadata;
  const isGroup = object.kind === 'VolumeGroupSnapshot';
  const record: ClaimRecord = {
    ...{ uid: 'unknown', driver: 'unknown', class: 'unknown', volumeSnapshot: name, state: 'failed' },
    askedAt: '1970-01-01T00:00:00Z',
    ...(isGroup ? { group: name } : {}),
  };
  return { snapshot: name, records: [record] };
}

/** Failed ones whose objects still live. A group goes only as a whole. */
export function failedAndLiving(
  commits: readonly DataCommit[],
  live: ReadonlyMap<string, KubeObject>,
): readonly Orphan[] {
  return commits
    .filter(({ note }) => !isUnreadable(note))
    .flatMap(({ note }) => failedOf(Object.values(note?.claims ?? {})))
    .filter(({ snapshot }) => live.has(snapshot));
}

/** Those of a decided run that came to nothing. */
export function failedOf(records: readonly ClaimRecord[]): readonly Orphan[] {
  const bySnapshot = Map.groupBy(records, ({ volumeSnapshot }) => volumeSnapshot);
  return [...bySnapshot]
    .filter(([, own]) => own.every(({ state }) => state === 'failed'))
    .map(([snapshot, own]) => ({ snapshot, records: own }));
}

const HOUR_MS = 3_600_000;

/** Removes what restores left: their claims are filled, or gone for an hour. The driver's snapshot stays. Answers the names. */
export async function sweepRestores(engine: Engine, namespace: string): Promise<readonly string[]> {
  const { cluster, signal, access } = engine;
  const labelSelector = selectorOf(RESTORE_LABELS);
  const snapshots = await cluster.list('snapshots', { namespace, labelSelector }, signal);
  const made = await cluster.restoreContents(signal);
  const contents = made.filter((one) => snapshotOf(one).namespace === namespace);
  if (snapshots.length + contents.length === 0) return [];
  const claims = await cluster.target.list(CLAIMS, { namespace }, signal);
  if (claims === 'forbidden') return [];
  const isOver = (name: string, made: KubeObject) => {
    const filled = claims.filter((claim) => sourceOf(claim) === name);
    const isOld = engine.parts.clock.wall() - createdAt(made) > HOUR_MS;
    return filled.length === 0
      ? isOld
      : filled.every((claim) => stringAt(objectAt(claim, 'status'), 'phase') === 'Bound');
  };
  const swept: string[] = [];
  for (const [kind, object, name] of [
    ...snapshots.map((one) => ['snapshots', one, one.metadata.name] as const),
    ...contents.map((one) => ['contents', one, snapshotOf(one).name] as const),
  ]) {
    if (!isOver(name, object)) continue;
    await access.guard();
    const place = { ...(kind === 'snapshots' ? { namespace } : {}), name: object.metadata.name };
    const uid = stringAt(object.metadata, 'uid') ?? '';
    const resource = await cluster.resource(kind, signal);
    const answer = await cluster.target.remove(resource, place, {
      dryRun: false,
      propagation: 'Background',
      uid,
      signal,
    });
    if (answer.ok && kind === 'snapshots') swept.push(name);
  }
  return swept;
}

function sourceOf(claim: KubeObject): string | undefined {
  const spec = objectAt(claim, 'spec');
  return stringAt(objectAt(spec, 'dataSource') ?? objectAt(spec, 'dataSourceRef'), 'name');
}

function createdAt(object: KubeObject): number {
  return Date.parse(stringAt(object.metadata, 'creationTimestamp') ?? '');
}
