/** The objects that tests of data make, as plain as they can be. */

export interface ClaimOptions {
  /** The default class unless told. */
  readonly storageClass?: string;
  readonly bytes?: number;
  readonly block?: boolean;
  /** The name of a snapshot in the same namespace whose data it begins with. */
  readonly snapshot?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const CLAIM_BYTES = 64 * 2 ** 20;

export function claim(namespace: string, name: string, options: ClaimOptions = {}): object {
  const { storageClass, bytes = CLAIM_BYTES, block = false, snapshot, labels = {} } = options;
  const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: String(bytes) } },
      ...(block ? { volumeMode: 'Block' } : {}),
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      ...(snapshot === undefined ? {} : { dataSource }),
    },
  };
}

/** Holds each claim at /NAME: a folder, or the device itself for those named in `devices`. Ends at once when deleted. */
export function pod(
  namespace: string,
  name: string,
  image: string,
  claims: readonly string[],
  devices: readonly string[] = [],
): object {
  const holds = (one: string) => ({ name: one, persistentVolumeClaim: { claimName: one } });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'Never',
          volumeMounts: claims.map((one) => ({ name: one, mountPath: `/${one}` })),
          volumeDevices: devices.map((one) => ({ name: one, devicePath: `/${one}` })),
        },
      ],
      volumes: [...claims, ...devices].map(holds),
    },
  };
}

/** Of the default class unless told. */
export function volumeSnapshot(namespace: string, name: string, ofClaim: string, snapshotClass?: string): object {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace },
    spec: {
      source: { persistentVolumeClaimName: ofClaim },
      ...(snapshotClass === undefined ? {} : { volumeSnapshotClassName: snapshotClass }),
    },
  };
}

/** Of all claims with these labels. */
export function groupSnapshot(namespace: string, name: string, matchLabels: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'groupsnapshot.storage.k8s.io/v1',
    kind: 'VolumeGroupSnapshot',
    metadata: { name, namespace },
    spec: { volumeGroupSnapshotClassName: 'btrfs', source: { selector: { matchLabels } } },
  };
}
