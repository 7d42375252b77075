import { type KubeObject, objectAt, stringAt } from '../object.ts';

/** How a snapshot and its content name each other (KEP 177: volume snapshots; KEP 3476: groups of them). */

/** The content that a VolumeSnapshot names; undefined before it is bound. */
export function boundContentOf(snapshot: KubeObject | undefined): string | undefined {
  return stringAt(objectAt(snapshot, 'status'), 'boundVolumeSnapshotContentName');
}

/** The content that a VolumeGroupSnapshot names. */
export function boundGroupContentOf(snapshot: KubeObject | undefined): string | undefined {
  return stringAt(objectAt(snapshot, 'status'), 'boundVolumeGroupSnapshotContentName');
}

/** The snapshot, or the group, that a content belongs to; each '' where it does not say so. */
export function snapshotOf(content: KubeObject): {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
} {
  const spec = objectAt(content, 'spec');
  const ref = objectAt(spec, 'volumeSnapshotRef') ?? objectAt(spec, 'volumeGroupSnapshotRef');
  const part = (field: string) => stringAt(ref, field) ?? '';
  return { namespace: part('namespace'), name: part('name'), uid: part('uid') };
}
