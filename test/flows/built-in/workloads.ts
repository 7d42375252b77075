import { type Fixture, inNamespace } from './fixture.ts';
import { richPodSpec } from './pod-template.ts';

const quickPodSpec = { containers: [{ name: 'main', image: 'registry.example.com/main:1' }] };

/** What keeps pods alive; their pods are made, and stay pending. */
export const workloadFixtures: readonly Fixture[] = [
  inNamespace('deployments.apps', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels: { app: 'web' }, annotations: { 'kubernetes.io/change-cause': 'first release' } },
    spec: {
      replicas: 2,
      minReadySeconds: 10,
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 120,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } },
      selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'canary', operator: 'DoesNotExist' }] },
      template: {
        metadata: { labels: { app: 'web' }, annotations: { 'prometheus.io/port': '8080', 'checksum/config': 'abc' } },
        spec: richPodSpec,
      },
    },
  }),
  inNamespace('deployments.apps', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'paused' },
    spec: {
      replicas: 0,
      paused: true,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { app: 'paused' } },
      template: {
        metadata: { labels: { app: 'paused' } },
        spec: { ...quickPodSpec, priorityClassName: 'fixture-urgent' },
      },
    },
  }),
  inNamespace('statefulsets.apps', {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'database' },
    spec: {
      serviceName: 'headless',
      replicas: 1,
      minReadySeconds: 5,
      podManagementPolicy: 'Parallel',
      ordinals: { start: 3 },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Delete' },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      selector: { matchLabels: { app: 'database' } },
      template: {
        metadata: { labels: { app: 'database' } },
        spec: {
          containers: [
            { name: 'database', image: 'postgres:17', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data', labels: { app: 'database' } },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'fixture-fast',
            resources: { requests: { storage: '5Gi' } },
          },
        },
      ],
    },
  }),
  inNamespace('daemonsets.apps', {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: 'agent' } },
        spec: {
          ...quickPodSpec,
          nodeSelector: { 'example.com/nowhere': 'true' },
          tolerations: [{ operator: 'Exists' }],
          hostPID: true,
        },
      },
    },
  }),
  inNamespace('replicasets.apps', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'standalone' },
    spec: {
      replicas: 1,
      minReadySeconds: 2,
      selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['standalone'] }] },
      template: { metadata: { labels: { app: 'standalone' } }, spec: quickPodSpec },
    },
  }),
  inNamespace('replicationcontrollers', {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'old-fashioned' },
    spec: {
      replicas: 1,
      selector: { app: 'old-fashioned' },
      template: { metadata: { labels: { app: 'old-fashioned' } }, spec: quickPodSpec },
    },
  }),
  inNamespace('podtemplates', {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { name: 'template' },
    template: { metadata: { labels: { app: 'template' } }, spec: richPodSpec },
  }),
  inNamespace('controllerrevisions.apps', {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: 'revision' },
    data: { spec: { anything: [1, { goes: true }] } },
    revision: 7,
  }),
  inNamespace('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'bare',
      labels: { app: 'bare' },
      annotations: { 'kubectl.kubernetes.io/default-container': 'main' },
    },
    spec: { ...richPodSpec, schedulingGates: [{ name: 'example.com/wait' }] },
  }),
  inNamespace('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bare-with-token' },
    spec: { ...quickPodSpec, serviceAccountName: 'plain', priorityClassName: 'fixture-urgent' },
  }),
];
