import { hasLabels, RESTORE_LABELS } from '../../core/data/snapshot-names.ts';
import { type KubeObject, objectAt, stringAt } from '../object.ts';
import { digestOf } from './digest.ts';
import type { VolumeSource } from './volume-plan.ts';

/** The objects through which a claim is filled from a snapshot that the driver still has, whoever deleted its VolumeSnapshot. */

export const SNAPSHOT_GROUP = 'snapshot.storage.k8s.io';

const PREFIX = 'kubekeeper-restore-';

/** What a claim is filled from. */
export interface Filling {
  readonly namespace: string;
  readonly claim: string;
  readonly driver: string;
  readonly handle: string;
  /** Of the group that it was cut with. */
  readonly groupHandle?: string;
  readonly snapshotClass?: string;
  readonly volumeMode?: 'Filesystem' | 'Block';
}

/** Of both objects. The same for the same claim and handle, so that a restore that is gone on with finds what was made. */
export function fillingName({ namespace, claim, driver, handle }: Filling): string {
  return `${PREFIX}${digestOf(['restore', namespace, claim, driver, handle]).slice(0, 16)}`;
}

export function fillingOf(
  namespace: string,
  claim: string,
  { driver, handle, groupHandle, volumeMode }: Pick<VolumeSource, 'driver' | 'handle' | 'groupHandle' | 'volumeMode'>,
): Filling {
  return {
    ...{ namespace, claim, driver, handle: handle ?? '' },
    ...(groupHandle === undefined ? {} : { groupHandle }),
    ...(volumeMode === undefined ? {} : { volumeMode }),
  };
}

/** Static, and never the physical snapshot's end: whoever deletes it leaves that alone. */
export function contentFor(filling: Filling, version: string): KubeObject {
  const { namespace, driver, handle, snapshotClass, volumeMode } = filling;
  const name = fillingName(filling);
  return {
    apiVersion: `${SNAPSHOT_GROUP}/${version}`,
    kind: 'VolumeSnapshotContent',
    metadata: { name, labels: { ...RESTORE_LABELS } },
    spec: {
      deletionPolicy: 'Retain',
      driver,
      source: { snapshotHandle: handle },
      ...(volumeMode === undefined ? {} : { sourceVolumeMode: volumeMode }),
      ...(snapshotClass === undefined ? {} : { volumeSnapshotClassName: snapshotClass }),
      // Without a uid: the snapshot controller writes it when the two are bound.
      volumeSnapshotRef: { name, namespace },
    },
  };
}

/** Without a group snapshot: it only makes the driver's snapshotter ask for the group. */
export function groupContentFor(filling: Filling, version: string): KubeObject {
  const { namespace, driver, handle, groupHandle = '' } = filling;
  const name = fillingName(filling);
  return {
    apiVersion: `groupsnapshot.storage.k8s.io/${version}`,
    kind: 'VolumeGroupSnapshotContent',
    metadata: { name, labels: { ...RESTORE_LABELS } },
    spec: {
      deletionPolicy: 'Retain',
      driver,
      source: { groupSnapshotHandles: { volumeGroupSnapshotHandle: groupHandle, volumeSnapshotHandles: [handle] } },
      volumeGroupSnapshotRef: { name, namespace },
    },
  };
}

export function snapshotFor(filling: Filling, version: string): KubeObject {
  const { namespace } = filling;
  const name = fillingName(filling);
  return {
    apiVersion: `${SNAPSHOT_GROUP}/${version}`,
    kind: 'VolumeSnapshot',
    metadata: { name, namespace, labels: { ...RESTORE_LABELS } },
    spec: { source: { volumeSnapshotContentName: name } },
  };
}

/** Why an object of this name cannot be used; undefined when it is the one that is needed. */
export function foreignness(live: KubeObject, wanted: KubeObject): string | undefined {
  const [spec, source] = [objectAt(live, 'spec'), objectAt(objectAt(live, 'spec'), 'source')];
  const [aim, from] = [objectAt(wanted, 'spec'), objectAt(objectAt(wanted, 'spec'), 'source')];
  const isSame =
    stringAt(source, 'snapshotHandle') === stringAt(from, 'snapshotHandle') &&
    stringAt(source, 'volumeSnapshotContentName') === stringAt(from, 'volumeSnapshotContentName') &&
    stringAt(spec, 'driver') === stringAt(aim, 'driver') &&
    stringAt(spec, 'deletionPolicy') === stringAt(aim, 'deletionPolicy');
  return hasLabels(live, RESTORE_LABELS) && isSame
    ? undefined
    : `${live.kind} ${live.metadata.name} is there already and is somebody else's`;
}

export function isFillingName(name: string): boolean {
  return name.startsWith(PREFIX);
}
