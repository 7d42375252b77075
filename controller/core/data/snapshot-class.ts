import { type KubeObject, objectAt, stringAt } from '../object.ts';
import type { ClassPolicy } from './policy.ts';

/** Which VolumeSnapshotClass makes the snapshot of a claim. */

/** A class by name, or in words why there is none. */
export type ClassChoice = { readonly className: string } | { readonly reason: string };

const DEFAULT_MARK = 'snapshot.storage.kubernetes.io/is-default-class';
const ON_CLAIM = ['kubekeeper.dev/volume-snapshot-class', 'velero.io/csi-volumesnapshot-class'];

/** `classes` are the VolumeSnapshotClasses; undefined where the cluster does not serve them or they may not be read. */
export function chooseSnapshotClass(
  claim: KubeObject,
  driver: string,
  classes: readonly KubeObject[] | undefined,
  policy: ClassPolicy,
): ClassChoice {
  if (classes === undefined) return { reason: 'VolumeSnapshots are not served or may not be read in this cluster' };
  const annotations = objectAt(claim.metadata, 'annotations');
  const key = ON_CLAIM.find((one) => stringAt(annotations, one) !== undefined);
  if (key !== undefined) return named(stringAt(annotations, key) ?? '', driver, classes, `annotation ${key}`);
  const byDriver = policy.byDriver.get(driver);
  if (byDriver !== undefined) return named(byDriver, driver, classes, 'volumeSnapshotClassNames');
  if (policy.name !== undefined) {
    const choice = named(policy.name, driver, classes, 'volumeSnapshotClassName');
    // One name for all claims can only be meant for those of its driver.
    if ('className' in choice || !classes.some(({ metadata }) => metadata.name === policy.name)) return choice;
  }
  return chooseByDefault(driver, classes, { kind: 'VolumeSnapshotClass', mark: DEFAULT_MARK });
}

function named(name: string, driver: string, classes: readonly KubeObject[], source: string): ClassChoice {
  const found = classes.find(({ metadata }) => metadata.name === name);
  if (found === undefined) return { reason: `VolumeSnapshotClass ${name}, named by ${source}, is not there` };
  const theirs = driverOfClass(found);
  if (theirs === driver) return { className: name };
  return {
    reason: `VolumeSnapshotClass ${name}, named by ${source}, is of driver ${theirs} and the claim of ${driver}`,
  };
}

/** The class that is marked as the driver's default, or the only one of the driver. */
export function chooseByDefault(
  driver: string,
  classes: readonly KubeObject[],
  { kind, mark }: { readonly kind: string; readonly mark: string },
): ClassChoice {
  const fitting = classes.filter((one) => driverOfClass(one) === driver);
  const marked = fitting.filter((one) => stringAt(objectAt(one.metadata, 'annotations'), mark) === 'true');
  const candidates = marked.length > 0 ? marked : fitting;
  const [only] = candidates;
  if (only === undefined) return { reason: `no ${kind} for driver ${driver}` };
  if (candidates.length === 1) return { className: only.metadata.name };
  const names = candidates.map(({ metadata }) => metadata.name).sort();
  const what = marked.length > 0 ? 'marked as its default' : 'none of them marked as its default';
  return { reason: `driver ${driver} has ${names.length} ${kind}es, ${what}: ${names.join(', ')}; name one of them` };
}

function driverOfClass(one: KubeObject): string {
  return stringAt(one, 'driver') ?? '';
}

/** The CSI driver behind a claim, or in words why there is none. `volume` is its PersistentVolume; undefined where it may not be read. */
export function driverOf(
  claim: KubeObject,
  volume: KubeObject | undefined,
): { readonly driver: string } | { readonly reason: string } {
  if (volume !== undefined) {
    const driver = stringAt(objectAt(objectAt(volume, 'spec'), 'csi'), 'driver');
    return driver === undefined
      ? { reason: 'its volume is not of a CSI driver, which alone can snapshot' }
      : { driver };
  }
  const annotations = objectAt(claim.metadata, 'annotations');
  const provisioner = ['volume.kubernetes.io/storage-provisioner', 'volume.beta.kubernetes.io/storage-provisioner']
    .map((key) => stringAt(annotations, key))
    .find((one) => one !== undefined);
  return provisioner === undefined
    ? { reason: 'its driver is not known: its PersistentVolume cannot be read' }
    : { driver: provisioner };
}
