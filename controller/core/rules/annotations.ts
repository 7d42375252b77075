import { annotationRules, labelRules } from './build-rules.ts';
import type { Rule } from './rule.ts';

/** Annotations and labels of Kubernetes itself, on any kind. */
export const annotationsRules: readonly Rule[] = [
  ...annotationRules(
    { 'last-applied': 'kubectl.kubernetes.io/last-applied-configuration' },
    { verdict: 'strip', reason: 'A copy of the whole object, with Secret values in clear; read before it goes' },
  ),
  ...annotationRules(
    {
      'default-container': 'kubectl.kubernetes.io/default-container',
      'restarted-at': 'kubectl.kubernetes.io/restartedAt',
    },
    { verdict: 'keep', reason: 'Set by a person' },
  ),
  {
    id: 'template-restarted-at',
    resources: ['*'],
    pointer: '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt',
    verdict: 'keep',
    reason: 'A person restarted it',
  },
  ...annotationRules(
    { 'change-cause': 'kubernetes.io/change-cause' },
    { verdict: 'keep', reason: 'Says why it was changed; goes into the commit message too' },
  ),
  ...annotationRules(
    {
      'deployment-revision': 'deployment.kubernetes.io/revision',
      'deployment-revision-history': 'deployment.kubernetes.io/revision-history',
      'deployment-desired-replicas': 'deployment.kubernetes.io/desired-replicas',
      'deployment-max-replicas': 'deployment.kubernetes.io/max-replicas',
      'daemonset-template-generation': 'deprecated.daemonset.template.generation',
    },
    { verdict: 'strip', reason: 'A counter of the workload controllers' },
  ),
  ...annotationRules(
    { 'leader-annotation': 'control-plane.alpha.kubernetes.io/leader' },
    { verdict: 'strip', reason: 'Leader election; renewed every few seconds' },
  ),
  ...annotationRules(
    {
      'autoscaling-conditions': 'autoscaling.alpha.kubernetes.io/conditions',
      'autoscaling-current-metrics': 'autoscaling.alpha.kubernetes.io/current-metrics',
    },
    { verdict: 'strip', reason: 'Status in an annotation, from reading a HorizontalPodAutoscaler as v1' },
  ),
  ...annotationRules(
    {
      'autoscaling-metrics': 'autoscaling.alpha.kubernetes.io/metrics',
      'autoscaling-behavior': 'autoscaling.alpha.kubernetes.io/behavior',
    },
    { verdict: 'keep', reason: 'Intent that autoscaling/v1 has no field for' },
  ),
  ...annotationRules(
    {
      'endpoints-last-change': 'endpoints.kubernetes.io/last-change-trigger-time',
      'endpoints-over-capacity': 'endpoints.kubernetes.io/over-capacity',
    },
    { verdict: 'strip', reason: 'Changes as pods come and go' },
  ),
  ...annotationRules(
    { 'service-account-uid': 'kubernetes.io/service-account.uid' },
    { verdict: 'strip', reason: 'New whenever the account is made again' },
  ),
  ...annotationRules(
    { 'service-account-name': 'kubernetes.io/service-account.name' },
    { verdict: 'keep', reason: 'Names the account that the token is for' },
  ),
  ...annotationRules(
    {
      'limit-ranger-record': 'kubernetes.io/limit-ranger',
      'psp-record': 'kubernetes.io/psp',
      'seccomp-pod-record': 'seccomp.security.alpha.kubernetes.io/pod',
      'seccomp-container-record': 'container.seccomp.security.alpha.kubernetes.io/*',
    },
    { resources: ['pods'], verdict: 'strip', reason: 'What admission noted on the pod' },
  ),
  ...annotationRules(
    {
      'static-pod-hash': 'kubernetes.io/config.hash',
      'static-pod-mirror': 'kubernetes.io/config.mirror',
      'static-pod-seen': 'kubernetes.io/config.seen',
      'static-pod-source': 'kubernetes.io/config.source',
    },
    { verdict: 'strip', reason: 'What the kubelet notes on static pods' },
  ),
  ...labelRules(
    {
      'pod-template-hash': 'pod-template-hash',
      'controller-revision-hash': 'controller-revision-hash',
      'statefulset-pod-name': 'statefulset.kubernetes.io/pod-name',
      'pod-index': 'apps.kubernetes.io/pod-index',
      'pod-template-generation': 'pod-template-generation',
    },
    { resources: ['pods', 'replicasets.apps'], verdict: 'strip', reason: 'A label of the workload controllers' },
  ),
  ...labelRules(
    { 'namespace-name-label': 'kubernetes.io/metadata.name' },
    { resources: ['namespaces'], verdict: 'strip', reason: 'Derived from the name', since: '1.21' },
  ),
  ...labelRules(
    { 'app-instance': 'app.kubernetes.io/instance' },
    { verdict: 'keep', reason: 'Cannot be told from what a person meant' },
  ),
  ...annotationRules(
    { 'checksum-annotations': 'checksum/*', 'prometheus-annotations': 'prometheus.io/*' },
    { verdict: 'keep', reason: 'Set by who wrote the manifest' },
  ),
  ...annotationRules(
    { 'load-balancer-annotations': '*.kubernetes.io/*load-balancer-*' },
    { verdict: 'keep', reason: 'Tells the cloud what load balancer to make' },
  ),
];
