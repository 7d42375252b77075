import { type Fixture, inNamespace } from './fixture.ts';

const quickPodSpec = { containers: [{ name: 'main', image: 'registry.example.com/main:1' }], restartPolicy: 'Never' };
const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

/** Jobs, and what decides how many pods run and may be away. */
export const scalingFixtures: readonly Fixture[] = [
  inNamespace('jobs.batch', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'indexed' },
    spec: {
      suspend: true,
      completionMode: 'Indexed',
      completions: 5,
      parallelism: 2,
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 2,
      activeDeadlineSeconds: 3600,
      ttlSecondsAfterFinished: 86_400,
      podReplacementPolicy: 'Failed',
      successPolicy: { rules: [{ succeededIndexes: '0-2', succeededCount: 2 }] },
      podFailurePolicy: {
        rules: [
          { action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      template: { metadata: { labels: { app: 'indexed' } }, spec: quickPodSpec },
    },
  }),
  inNamespace('jobs.batch', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'own-selector' },
    spec: {
      suspend: true,
      manualSelector: true,
      selector: { matchLabels: { 'job-of': 'people' } },
      template: { metadata: { labels: { 'job-of': 'people' } }, spec: quickPodSpec },
    },
  }),
  inNamespace('cronjobs.batch', {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'yearly' },
    spec: {
      schedule: '0 3 29 2 *',
      timeZone: 'Europe/Vienna',
      suspend: true,
      concurrencyPolicy: 'Replace',
      startingDeadlineSeconds: 300,
      successfulJobsHistoryLimit: 0,
      failedJobsHistoryLimit: 5,
      jobTemplate: {
        metadata: { labels: { app: 'yearly' }, annotations: { 'example.com/why': 'a leap year' } },
        spec: { backoffLimit: 2, template: { metadata: { labels: { app: 'yearly' } }, spec: quickPodSpec } },
      },
    },
  }),
  inNamespace('horizontalpodautoscalers.autoscaling', {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web' },
    spec: {
      scaleTargetRef: web,
      minReplicas: 2,
      maxReplicas: 9,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'memory',
            container: 'main',
            target: { type: 'AverageValue', averageValue: '100Mi' },
          },
        },
        {
          type: 'Pods',
          pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '1500m' } },
        },
        {
          type: 'Object',
          object: {
            describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' },
            metric: { name: 'hits', selector: { matchLabels: { path: 'shop' } } },
            target: { type: 'Value', value: '2k' },
          },
        },
        {
          type: 'External',
          external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
        },
      ],
      behavior: {
        scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
        scaleDown: { selectPolicy: 'Disabled' },
      },
    },
  }),
  inNamespace('poddisruptionbudgets.policy', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: {
      maxUnavailable: '25%',
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { app: 'web' } },
    },
  }),
  inNamespace('poddisruptionbudgets.policy', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'everything' },
    spec: { minAvailable: 0, selector: {} },
  }),
];
