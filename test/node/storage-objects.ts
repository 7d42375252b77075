import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { STORAGE_MODULE } from '../cluster/binaries.ts';
import { run } from './run.ts';

/** What a node's storage brings into the cluster. */

/** Makes snapshots, groups of them too. */
export const DRIVER = 'btrfs.test.kubekeeper.dev';
/** Makes none. */
export const PLAIN_DRIVER = 'plain.test.kubekeeper.dev';

const SNAPSHOTS = 'snapshot.storage.k8s.io/v1';
const GROUPS = 'groupsnapshot.storage.k8s.io';

const MODULE = 'github.com/kubernetes-csi/external-snapshotter/client/v8';

/** The definitions of external-snapshotter, as its module has them. */
export async function readDefinitions(groups: boolean): Promise<readonly object[]> {
  const fetched = await run('go', ['mod', 'download', '-json', MODULE], STORAGE_MODULE).catch((cause: Error) => {
    throw new Error(`cannot read the definitions of snapshots: ${cause.message}`, { cause });
  });
  const folder = join((JSON.parse(fetched) as { Dir: string }).Dir, 'config', 'crd');
  const files = (await readdir(folder)).filter(
    (name) => name.startsWith('snapshot.') || (groups && name.startsWith(`${GROUPS}_`)),
  );
  return Promise.all(files.map(async (name) => parse(await readFile(join(folder, name), 'utf8')) as object));
}

/** Classes and drivers. `btrfs` is the default of both kinds of class. */
export function storageObjects(groups: boolean): readonly object[] {
  return [
    ...[DRIVER, PLAIN_DRIVER].map((name) => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name },
      spec: { attachRequired: false, podInfoOnMount: false, volumeLifecycleModes: ['Persistent'] },
    })),
    storageClass('btrfs', DRIVER, 'Immediate', 'Delete', { 'storageclass.kubernetes.io/is-default-class': 'true' }),
    storageClass('btrfs-wait', DRIVER, 'WaitForFirstConsumer'),
    storageClass('btrfs-retain', DRIVER, 'Immediate', 'Retain'),
    storageClass('plain', PLAIN_DRIVER, 'Immediate'),
    snapshotClass('btrfs', 'Delete', { 'snapshot.storage.kubernetes.io/is-default-class': 'true' }),
    snapshotClass('btrfs-retain', 'Retain'),
    ...(groups ? [groupClass('btrfs')] : []),
  ];
}

function storageClass(
  name: string,
  provisioner: string,
  volumeBindingMode: string,
  reclaimPolicy = 'Delete',
  annotations = {},
) {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations },
    provisioner,
    volumeBindingMode,
    reclaimPolicy,
    allowVolumeExpansion: true,
  };
}

function snapshotClass(name: string, deletionPolicy: string, annotations = {}) {
  const metadata = { name, annotations };
  return { apiVersion: SNAPSHOTS, kind: 'VolumeSnapshotClass', metadata, driver: DRIVER, deletionPolicy };
}

function groupClass(name: string) {
  return {
    apiVersion: `${GROUPS}/v1`,
    kind: 'VolumeGroupSnapshotClass',
    metadata: { name },
    driver: DRIVER,
    deletionPolicy: 'Delete',
  };
}
