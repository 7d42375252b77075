import { type KubeObject, objectAt, stringAt } from '../object.ts';
import { oneLine } from '../words.ts';
import { fillingName, fillingOf } from './fill-objects.ts';
import type { Selection } from './plan.ts';
import {
  ageWords,
  type PointClaim,
  type PointData,
  sizeWords,
  type VolumePlan,
  type VolumeSource,
} from './volume-plan.ts';

/** What is done with the data of one claim of a restore point, and why. */

export interface VolumeFacts {
  readonly selection: Selection;
  /** Of the target. */
  readonly namespace: string;
  /** Undefined where nothing of it is wanted, so that a note that nobody needs cannot stop a restore. */
  readonly data: PointData | undefined;
  /** Why no claim can be filled here, such as missing rights; undefined when they can. */
  readonly obstacle: string | undefined;
  /** Provisioners of the StorageClasses; undefined where these may not be read. */
  readonly provisioners: ReadonlyMap<string, string> | undefined;
  /** The StorageClass that the claim is made with; undefined when the target chooses. */
  readonly classOf: (manifest: KubeObject) => string | undefined;
  /** The volume that the claim would be bound to again; undefined when it gets another one. */
  readonly reboundTo: (manifest: KubeObject) => string | undefined;
  /** May the volume of a claim that is replaced be kept until the new one is there? */
  readonly keepsVolumes: boolean;
  /** Who uses a claim that lives, and may be stopped for it. */
  readonly usersOf: (claim: string) => { readonly workloads: readonly string[] } | { readonly problem: string };
}

/** `live`: undefined also for one that is being deleted. Undefined: there is nothing to say. */
export function chooseVolume(
  facts: VolumeFacts,
  { manifest, live }: { readonly manifest: KubeObject; readonly live: KubeObject | undefined },
): VolumePlan | undefined {
  const claim = manifest.metadata.name;
  const promised = facts.data?.claims.get(claim);
  return live === undefined
    ? chooseForNew(facts, manifest, promised)
    : chooseForLiving(facts, manifest, live, promised);
}

function chooseForNew(
  facts: VolumeFacts,
  manifest: KubeObject,
  promised: PointClaim | undefined,
): VolumePlan | undefined {
  const claim = manifest.metadata.name;
  const unwanted = unwantedBecause(facts.selection, claim);
  if (unwanted === undefined && promised !== undefined) {
    const problem = problemOf(facts, manifest, promised);
    const data = sourceOf(facts, promised);
    if (problem !== undefined) return refused(claim, `${problem}; --volumes none makes the claim empty`, data);
    return { claim, action: 'restore', reason: wordsOf(data as VolumeSource), data: data as VolumeSource };
  }
  const rebound = facts.reboundTo(manifest);
  if (rebound !== undefined)
    return { claim, action: 'keep', reason: `is bound to its volume ${rebound} again, whose data is left as it is` };
  return { claim, action: 'empty', reason: unwanted ?? unpromised(facts, claim) };
}

function chooseForLiving(
  facts: VolumeFacts,
  manifest: KubeObject,
  live: KubeObject,
  promised: PointClaim | undefined,
): VolumePlan | undefined {
  const claim = manifest.metadata.name;
  if (promised === undefined || unwantedBecause(facts.selection, claim) !== undefined) return undefined;
  const data = sourceOf(facts, promised);
  const withData = data === undefined ? {} : { data };
  if (isBeingFilled(facts, live, data)) {
    return { claim, action: 'keep', reason: 'it was made by a restore, and waits for its data', ...withData };
  }
  if (facts.selection.existingData !== 'replace') {
    const hint =
      data?.handle === undefined ? '' : `; --existing-data replace brings back what was ${ageWords(data.ageMs)}`;
    return { claim, action: 'keep', reason: `it lives, and its data is left as it is${hint}`, ...withData };
  }
  const problem = problemOf(facts, manifest, promised);
  if (problem !== undefined) return refused(claim, `${problem}; what lives is left as it is`, data);
  const users = facts.usersOf(claim);
  if ('problem' in users) return refused(claim, `${users.problem}; what lives is left as it is`, data);
  const { workloads } = users;
  const stopped =
    workloads.length === 0 ? 'nobody uses it' : `${workloads.map(oneLine).join(', ')} is scaled to 0 meanwhile`;
  const lost = facts.keepsVolumes
    ? ''
    : '; you may not change persistentvolumes, so the volume of before goes before the new one is there';
  const reason = `what lives is replaced by data ${wordsOf(data as VolumeSource)}; ${stopped}${lost}`;
  return { claim, action: 'replace', reason, data: data as VolumeSource, workloads };
}

function refused(claim: string, reason: string, data: VolumeSource | undefined): VolumePlan {
  return { claim, action: 'refuse', reason, ...(data === undefined ? {} : { data }) };
}

/** Undefined: its data is wanted. */
function unwantedBecause({ volumes }: Selection, claim: string): string | undefined {
  if (volumes === 'none') return '--volumes none';
  if (volumes === undefined || volumes === 'only' || volumes.includes(claim)) return undefined;
  return '--volumes names others';
}

function unpromised({ data }: VolumeFacts, claim: string): string {
  if (data === undefined || (data.claims.size === 0 && data.skipped.size === 0))
    return 'no volume data belongs to this commit';
  const skipped = data.skipped.get(claim);
  if (skipped === undefined) return 'no snapshot of it was cut before this commit';
  return skipped.kind === 'excluded' ? oneLine(skipped.why) : `it could not be snapshotted: ${oneLine(skipped.why)}`;
}

/** Why data that was promised cannot be had. */
function problemOf(
  { data, obstacle, provisioners, classOf }: VolumeFacts,
  manifest: KubeObject,
  { snapshot, record }: PointClaim,
): string | undefined {
  if (record === undefined) {
    return data?.hasNotes === true
      ? `no note says what became of snapshot ${snapshot}`
      : `the repository has no notes that say what became of snapshot ${snapshot}: make the clone with git clone --mirror`;
  }
  const told = record.why === undefined ? '' : `: ${oneLine(record.why)}`;
  if (record.state === 'failed') return `its snapshot failed${told}`;
  if (record.state === 'pending') return `its snapshot was not ready yet${told}`;
  if (record.state === 'pruned') {
    return `its snapshot was pruned${record.prunedAt === undefined ? '' : ` on ${record.prunedAt.slice(0, 10)}`}`;
  }
  if (record.handle === undefined) return 'the note has no handle of its snapshot';
  if (obstacle !== undefined) return obstacle;
  const name = classOf(manifest);
  if (name === '') return 'the claim has no StorageClass, which would make a volume from its snapshot';
  const provisioner = name === undefined ? undefined : provisioners?.get(name);
  if (provisioner === undefined || provisioner === record.driver) return undefined;
  return `the snapshot is of driver ${oneLine(record.driver)} and StorageClass ${name} of ${provisioner}: name one of that driver with --storage-class`;
}

function sourceOf({ data }: VolumeFacts, { snapshot, record, cutAt, ageMs }: PointClaim): VolumeSource | undefined {
  if (record === undefined || cutAt === undefined || ageMs === undefined) return undefined;
  const { driver, handle, groupHandle, restoreSize, size, volumeMode } = record;
  const bytes = restoreSize ?? size;
  return {
    ...{ snapshot, driver, snapshotClass: record.class, cutAt, ageMs, grade: data?.grade ?? '' },
    ...(handle === undefined ? {} : { handle }),
    ...(groupHandle === undefined ? {} : { groupHandle }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(volumeMode === undefined ? {} : { volumeMode }),
  };
}

function wordsOf({ ageMs, bytes }: VolumeSource): string {
  return `${ageWords(ageMs)}${bytes === undefined ? '' : `, ${sizeWords(bytes)}`}`;
}

/** Of a restore that was stopped, or whose claim waits for a pod. */
function isBeingFilled({ namespace }: VolumeFacts, live: KubeObject, data: VolumeSource | undefined): boolean {
  if (data === undefined || stringAt(objectAt(live, 'status'), 'phase') === 'Bound') return false;
  const from = stringAt(objectAt(objectAt(live, 'spec'), 'dataSource'), 'name');
  return from === fillingName(fillingOf(namespace, live.metadata.name, data));
}
