import { neverRules } from './build-rules.ts';
import type { Rule } from './rule.ts';

/** Kinds that are state, copies or history: nothing a restore could use, and some change every few seconds. */
export const neverArchivedRules: readonly Rule[] = [
  ...neverRules(
    { 'never-events': ['events', 'events.events.k8s.io'] },
    'What happened, not what is; gone after an hour',
  ),
  ...neverRules(
    {
      'never-leases': ['leases.coordination.k8s.io'],
      'never-lease-candidates': ['leasecandidates.coordination.k8s.io'],
    },
    'Leader election and heartbeats; renewed every few seconds',
  ),
  ...neverRules(
    {
      'never-metrics': [
        'pods.metrics.k8s.io',
        'nodes.metrics.k8s.io',
        '*.custom.metrics.k8s.io',
        '*.external.metrics.k8s.io',
      ],
    },
    'Measurements',
  ),
  ...neverRules(
    { 'never-controller-revisions': ['controllerrevisions.apps'] },
    'History that the workload controllers keep',
  ),
  ...neverRules(
    {
      'never-certificate-requests': [
        'certificatesigningrequests.certificates.k8s.io',
        'podcertificaterequests.certificates.k8s.io',
      ],
    },
    'A request that was answered; its answer lies where it was used',
  ),
  ...neverRules({ 'never-nodes': ['nodes'] }, 'A node registers itself, and its kubelet writes it every few seconds'),
  ...neverRules({ 'never-ip-addresses': ['ipaddresses.networking.k8s.io'] }, 'Made for each Service by the API server'),
  ...neverRules({ 'never-resource-slices': ['resourceslices.resource.k8s.io'] }, 'What the drivers found on the nodes'),
  ...nodeRules(),
];

/** What is left of a node for those who archive nodes all the same: labels, taints and unschedulable. */
function nodeRules(): readonly Rule[] {
  return [
    ...['podCIDR', 'podCIDRs', 'providerID'].map(
      (field): Rule => ({
        id: `node-${field.toLowerCase()}`,
        resources: ['nodes'],
        pointer: `/spec/${field}`,
        verdict: 'strip',
        reason: 'Given out when the node joined',
      }),
    ),
    {
      id: 'node-condition-taints',
      resources: ['nodes'],
      pointer: '/spec/taints/*',
      verdict: 'strip',
      reason: 'Says what state the node is in',
      when: { parts: { '/key': ['node.kubernetes.io/*'] } },
    },
    ...[
      'csi.volume.kubernetes.io~1nodeid',
      'node.alpha.kubernetes.io~1ttl',
      'volumes.kubernetes.io~1*',
      'projectcalico.org~1*',
    ].map(
      (key, index): Rule => ({
        id: `node-annotation-${index + 1}`,
        resources: ['nodes'],
        pointer: `/metadata/annotations/${key}`,
        verdict: 'strip',
        reason: 'Written by the kubelet and the plug-ins of the node',
      }),
    ),
  ];
}
