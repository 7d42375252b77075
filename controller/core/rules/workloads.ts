import { annotationRules, kebab } from './build-rules.ts';
import type { Condition, Rule } from './rule.ts';

const withReplicas = [
  'deployments.apps',
  'statefulsets.apps',
  'replicasets.apps',
  'replicationcontrollers',
  'deploymentconfigs.apps.openshift.io',
  'rollouts.argoproj.io',
];
const withTemplate = ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'replicasets.apps'];

/** Deployments and their like, Jobs and autoscalers; pods.ts has the pods. */
export const workloadsRules: readonly Rule[] = [
  {
    id: 'replicas-scaled',
    resources: withReplicas,
    pointer: '/spec/replicas',
    verdict: 'hold',
    reason: 'An autoscaler wrote it last through the scale subresource; no person did',
    when: { fact: 'scaled-by-controller' },
    since: '1.22',
  },
  {
    id: 'replicas',
    resources: withReplicas,
    pointer: '/spec/replicas',
    verdict: 'keep',
    reason: 'How many are meant to run',
  },
  ...['revisionHistoryLimit', 'progressDeadlineSeconds'].map(
    (field): Rule => ({
      id: kebab(field),
      resources: withReplicas,
      pointer: `/spec/${field}`,
      verdict: 'keep',
      reason: 'Decides how a change is rolled out',
    }),
  ),
  {
    id: 'resources-autoscaled',
    resources: [...withTemplate, 'deploymentconfigs.apps.openshift.io'],
    pointer: '/spec/template/spec/containers/*/resources',
    verdict: 'hold',
    reason: 'A VerticalPodAutoscaler wrote it last',
    when: { writer: ['vpa-*', '*vertical-pod-autoscaler*'] },
  },
  {
    id: 'container-image',
    resources: withTemplate,
    pointer: '/spec/template/spec/containers/*/image',
    verdict: 'keep',
    reason: 'What runs, also when an image updater chose it',
  },
  {
    id: 'container-image-triggered',
    resources: [...withTemplate, 'cronjobs.batch'],
    pointer: '/spec/template/spec/containers/*/image',
    verdict: 'hold',
    reason: "OpenShift's image trigger wrote it",
    when: {
      annotations: ['image.openshift.io/triggers'],
      writer: ['openshift-controller-manager', 'image-trigger-controller'],
    },
  },
  {
    id: 'cronjob',
    resources: ['cronjobs.batch'],
    pointer: '/spec',
    verdict: 'keep',
    reason: 'All of it is intent',
  },
  ...['status', 'metadata/creationTimestamp', 'apiVersion', 'kind'].map(
    (field): Rule => ({
      id: `claim-template-${kebab(field.replace('metadata/', ''))}`,
      resources: ['statefulsets.apps'],
      pointer: `/spec/volumeClaimTemplates/*/${field}`,
      verdict: 'strip',
      reason: 'Filled in by the API server; differs between its versions',
    }),
  ),
  ...jobRules(),
  {
    id: 'autoscaler-metrics-order',
    resources: ['horizontalpodautoscalers.autoscaling'],
    pointer: '/spec/metrics',
    verdict: 'hold',
    reason: 'Converting between API versions changes only the order',
    orderOnly: true,
  },
];

function jobRules(): readonly Rule[] {
  const generated: Condition = { not: { fields: { '/spec/manualSelector': ['true'] } } };
  const labels = {
    'job-controller-uid': 'controller-uid',
    'job-batch-controller-uid': 'batch.kubernetes.io/controller-uid',
    'job-name': 'job-name',
    'job-batch-name': 'batch.kubernetes.io/job-name',
    'job-completion-index': 'batch.kubernetes.io/job-completion-index',
  };
  const reason = 'Made up from the uid and name of the Job';
  return [
    {
      id: 'job-selector',
      resources: ['jobs.batch'],
      pointer: '/spec/selector',
      verdict: 'strip',
      reason: 'Made up from the uid of the Job; a person sets manualSelector with it',
      when: generated,
    },
    ...Object.entries(labels).flatMap(([id, key]): Rule[] => {
      const label = key.replace('/', '~1');
      const shared = { verdict: 'strip', reason, when: generated } as const;
      return [
        { id: `${id}-label`, resources: ['jobs.batch', 'pods'], pointer: `/metadata/labels/${label}`, ...shared },
        {
          id: `${id}-template-label`,
          resources: ['jobs.batch'],
          pointer: `/spec/template/metadata/labels/${label}`,
          ...shared,
        },
      ];
    }),
    ...annotationRules(
      {
        'job-tracking': 'batch.kubernetes.io/job-tracking',
        'job-scheduled-at': 'batch.kubernetes.io/cronjob-scheduled-timestamp',
        'job-index-annotation': 'batch.kubernetes.io/job-completion-index',
      },
      { resources: ['jobs.batch', 'pods'], verdict: 'strip', reason: 'Written by the Job and CronJob controllers' },
    ),
    {
      id: 'job-finished',
      resources: ['jobs.batch'],
      pointer: '',
      verdict: 'restore-only',
      reason: 'A finished Job would run again',
      when: { fields: { '/status/conditions/*/type': ['Complete', 'Failed'] } },
    },
    ...['type', 'status'].map(
      (field): Rule => ({
        id: field === 'type' ? 'job-conditions' : 'job-conditions-status',
        resources: ['jobs.batch'],
        pointer: `/status/conditions/*/${field}`,
        verdict: 'keep',
        reason: 'Tells that the Job has finished; the rest of the status goes',
        when: { around: { levels: 1, parts: { '/type': ['Complete', 'Failed'], '/status': ['True'] } } },
        evenWithin: true,
        since: 'rules 2',
      }),
    ),
    { id: 'job-suspend', resources: ['jobs.batch'], pointer: '/spec/suspend', verdict: 'keep', reason: 'Intent' },
  ];
}
