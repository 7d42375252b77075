import { annotationRules, kebab, neverRules } from './build-rules.ts';
import type { Rule } from './rule.ts';

const claims = ['persistentvolumeclaims'];
const volumes = ['persistentvolumes'];

/** Claims, volumes and what the storage controllers write on them. */
export const storageRules: readonly Rule[] = [
  {
    id: 'claim-volume-name',
    resources: claims,
    pointer: '/spec/volumeName',
    verdict: 'restore-only',
    reason: 'Links the claim to its volume and the commit to its snapshot; a restore binds another volume',
    recorded: true,
  },
  ...['volumeMode', 'volumeAttributesClassName', 'selector', 'resources'].map(
    (field): Rule => ({
      id: `claim-${kebab(field)}`,
      resources: claims,
      pointer: `/spec/${field}`,
      verdict: 'keep',
      reason: field === 'volumeMode' ? 'Block must not come back as Filesystem' : 'What was asked for',
    }),
  ),
  ...['dataSource', 'dataSourceRef'].map(
    (field): Rule => ({
      id: `claim-${kebab(field)}`,
      resources: claims,
      pointer: `/spec/${field}`,
      verdict: 'restore-only',
      reason: 'A restore puts the snapshot of the restore point there',
    }),
  ),
  ...['dataSource', 'dataSourceRef'].map(
    (field): Rule => ({
      id: `claim-restored-${kebab(field)}`,
      resources: claims,
      pointer: `/spec/${field}`,
      verdict: 'strip',
      reason: 'kubekeeper filled the claim at a restore; its snapshot was only there for that',
      when: { parts: { '/kind': ['VolumeSnapshot'], '/name': ['kubekeeper-restore-*'] } },
    }),
  ),
  ...['capacity/storage', 'phase'].map(
    (field): Rule => ({
      id: `claim-status-${field.replace('/storage', '')}`,
      resources: claims,
      pointer: `/status/${field}`,
      verdict: 'record',
      reason: 'Tells what the data of this commit lay in',
    }),
  ),
  ...['uid', 'resourceVersion'].map(
    (field): Rule => ({
      id: `volume-claim-${kebab(field)}`,
      resources: volumes,
      pointer: `/spec/claimRef/${field}`,
      verdict: 'strip',
      reason: 'Another one when the claim is made again',
    }),
  ),
  {
    id: 'volume-claim',
    resources: volumes,
    pointer: '/spec/claimRef',
    verdict: 'restore-only',
    reason: 'The claim that it is bound to; another name in another namespace',
  },
  {
    id: 'volume-handle',
    resources: volumes,
    pointer: '/spec/csi/volumeHandle',
    verdict: 'keep',
    reason: 'The identity of the data',
  },
  {
    id: 'volume-reclaim-policy',
    resources: volumes,
    pointer: '/spec/persistentVolumeReclaimPolicy',
    verdict: 'keep',
    reason: 'Decides whether deleting the claim deletes the data',
  },
  {
    id: 'volume-node-affinity',
    resources: volumes,
    pointer: '/spec/nodeAffinity',
    verdict: 'restore-only',
    reason: 'Names the nodes or zones of this cluster',
  },
  ...annotationRules(
    {
      'bind-completed': 'pv.kubernetes.io/bind-completed',
      'bound-by-controller': 'pv.kubernetes.io/bound-by-controller',
    },
    { verdict: 'strip', reason: 'State of the volume binder' },
  ),
  ...annotationRules(
    { 'provisioned-by': 'pv.kubernetes.io/provisioned-by', 'migrated-to': 'pv.kubernetes.io/migrated-to' },
    { verdict: 'restore-only', reason: 'Needed to delete or migrate a volume, not to make one' },
  ),
  ...annotationRules(
    {
      'selected-node': 'volume.kubernetes.io/selected-node',
      'storage-provisioner': 'volume.kubernetes.io/storage-provisioner',
      'storage-resizer': 'volume.kubernetes.io/storage-resizer',
      'beta-storage-provisioner': 'volume.beta.kubernetes.io/storage-provisioner',
      'provisioner-deletion-secret': 'volume.kubernetes.io/provisioner-deletion-secret-*',
    },
    { verdict: 'restore-only', reason: 'Set anew for the next volume; it may name a node that is gone' },
  ),
  ...annotationRules(
    { 'beta-storage-class': 'volume.beta.kubernetes.io/storage-class' },
    { verdict: 'keep', reason: 'The old way to ask for a StorageClass' },
  ),
  ...neverRules(
    {
      'never-volume-snapshots': [
        'volumesnapshots.snapshot.storage.k8s.io',
        'volumesnapshotcontents.snapshot.storage.k8s.io',
      ],
      'never-group-snapshots': [
        'volumegroupsnapshots.groupsnapshot.storage.k8s.io',
        'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io',
      ],
    },
    'Made by us with each commit; archiving them would cause the next commit',
  ),
  ...neverRules(
    {
      'never-volume-attachments': ['volumeattachments.storage.k8s.io'],
      'never-csi-nodes': ['csinodes.storage.k8s.io'],
      'never-csi-capacities': ['csistoragecapacities.storage.k8s.io'],
    },
    'State of the storage drivers on this cluster',
  ),
];
