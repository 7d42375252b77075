import { type Fixture, inCluster, inNamespace, NAMESPACE } from './fixture.ts';

const api = 'storage.k8s.io/v1';

/** Classes, volumes, claims and what the drivers report. */
export const storageFixtures: readonly Fixture[] = [
  inCluster('storageclasses.storage.k8s.io', {
    apiVersion: api,
    kind: 'StorageClass',
    metadata: { name: 'fixture-fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'false' } },
    provisioner: 'csi.example.com',
    parameters: { type: 'nvme', 'csi.storage.k8s.io/fstype': 'xfs' },
    reclaimPolicy: 'Retain',
    allowVolumeExpansion: true,
    volumeBindingMode: 'WaitForFirstConsumer',
    mountOptions: ['noatime', 'discard'],
    allowedTopologies: [
      { matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values: ['zone-b', 'zone-a'] }] },
    ],
  }),
  inCluster('volumeattributesclasses.storage.k8s.io', {
    apiVersion: api,
    kind: 'VolumeAttributesClass',
    metadata: { name: 'fixture-gold' },
    driverName: 'csi.example.com',
    parameters: { iops: '9000', throughput: '250' },
  }),
  inCluster('persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'fixture-bound', labels: { shelf: 'one' } },
    spec: {
      capacity: { storage: '2Gi' },
      accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: '',
      mountOptions: ['ro'],
      volumeMode: 'Filesystem',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: NAMESPACE, name: 'bound' },
      csi: {
        driver: 'csi.example.com',
        volumeHandle: 'handle-7',
        fsType: 'xfs',
        volumeAttributes: { share: 'x' },
        nodePublishSecretRef: { namespace: NAMESPACE, name: 'login' },
      },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['zone-a'] }] },
          ],
        },
      },
    },
  }),
  inCluster('persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'fixture-block' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOncePod'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'by-hand',
      volumeMode: 'Block',
      local: { path: '/dev/fixture' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['fixture-node'] }] }],
        },
      },
    },
  }),
  inNamespace('persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'bound' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      selector: { matchLabels: { shelf: 'one' } },
      resources: { requests: { storage: '1Gi' }, limits: { storage: '2Gi' } },
    },
  }),
  inNamespace('persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'block' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Block',
      storageClassName: 'fixture-fast',
      volumeAttributesClassName: 'fixture-gold',
      resources: { requests: { storage: '10Gi' } },
    },
  }),
  inNamespace('persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'from-snapshot', annotations: { 'example.com/note': 'waits for its snapshot' } },
    spec: {
      accessModes: ['ReadWriteMany'],
      volumeMode: 'Filesystem',
      storageClassName: 'fixture-fast',
      dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'monday' },
      resources: { requests: { storage: '3Gi' } },
    },
  }),
  ...driverFixtures(),
];

function driverFixtures(): readonly Fixture[] {
  return [
    inCluster('csidrivers.storage.k8s.io', {
      apiVersion: api,
      kind: 'CSIDriver',
      metadata: { name: 'csi.example.com' },
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        fsGroupPolicy: 'File',
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
        storageCapacity: true,
        requiresRepublish: true,
        seLinuxMount: true,
        tokenRequests: [{ audience: 'vault', expirationSeconds: 3600 }],
      },
    }),
    inCluster('csinodes.storage.k8s.io', {
      apiVersion: api,
      kind: 'CSINode',
      metadata: { name: 'fixture-node' },
      spec: {
        drivers: [
          {
            name: 'csi.example.com',
            nodeID: 'node-7',
            topologyKeys: ['topology.kubernetes.io/zone'],
            allocatable: { count: 24 },
          },
        ],
      },
    }),
    inNamespace('csistoragecapacities.storage.k8s.io', {
      apiVersion: api,
      kind: 'CSIStorageCapacity',
      metadata: { name: 'zone-a' },
      storageClassName: 'fixture-fast',
      nodeTopology: { matchLabels: { 'topology.kubernetes.io/zone': 'zone-a' } },
      capacity: '500Gi',
      maximumVolumeSize: '100Gi',
    }),
    inCluster('volumeattachments.storage.k8s.io', {
      apiVersion: api,
      kind: 'VolumeAttachment',
      metadata: { name: 'fixture-attachment' },
      spec: {
        attacher: 'csi.example.com',
        nodeName: 'fixture-node',
        source: { persistentVolumeName: 'fixture-bound' },
      },
    }),
  ];
}
