import { neverRules } from './build-rules.ts';
import type { Condition, Rule } from './rule.ts';

const webhooks = [
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
];
const definitions = ['customresourcedefinitions.apiextensions.k8s.io'];
const apiServices = ['apiservices.apiregistration.k8s.io'];

const injected: Condition = {
  any: [
    {
      annotations: [
        'cert-manager.io/inject-*',
        'certmanager.k8s.io/inject-*',
        'service.beta.openshift.io/inject-cabundle=true',
        'service.alpha.openshift.io/inject-cabundle=true',
        'config.openshift.io/inject-trusted-cabundle=true',
      ],
    },
    { labels: ['olm.owner', 'olm.owner.kind', 'olm.managed=true', 'config.openshift.io/inject-trusted-cabundle=true'] },
    { fact: 'injected' },
  ],
};

/** Webhooks, definitions and API services: how the API itself is extended. */
export const apiMachineryRules: readonly Rule[] = [
  ...caBundleRules('webhook-ca-bundle', webhooks, '/webhooks/*/clientConfig/caBundle'),
  ...caBundleRules('conversion-ca-bundle', definitions, '/spec/conversion/webhook/clientConfig/caBundle'),
  ...caBundleRules('api-service-ca-bundle', apiServices, '/spec/caBundle'),
  {
    id: 'webhook-side-effects',
    resources: webhooks,
    pointer: '/webhooks/*/sideEffects',
    verdict: 'restore-only',
    reason: 'What v1 no longer takes becomes None',
    when: { value: ['Unknown', 'Some'] },
  },
  {
    id: 'stored-versions',
    resources: definitions,
    pointer: '/status/storedVersions',
    verdict: 'record',
    reason: 'A restore must not drop a version that is still stored',
  },
  {
    id: 'local-api-services',
    resources: apiServices,
    pointer: '',
    verdict: 'never',
    reason: 'The API server makes it for its own groups and for those of definitions',
    when: { labels: ['kube-aggregator.kubernetes.io/automanaged'] },
  },
  {
    id: 'local-api-services-unlabelled',
    resources: apiServices,
    pointer: '',
    verdict: 'never',
    reason: 'The API server makes it for its own groups and for those of definitions',
    when: { not: { fields: { '/spec/service': ['*'] } } },
  },
  {
    id: 'flow-control-defaults',
    resources: ['flowschemas.flowcontrol.apiserver.k8s.io', 'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io'],
    pointer: '',
    verdict: 'never',
    reason: 'The API server makes and repairs it',
    when: { annotations: ['apf.kubernetes.io/autoupdate-spec=true'] },
    since: '1.20',
  },
  {
    id: 'default-service-cidr',
    resources: ['servicecidrs.networking.k8s.io'],
    pointer: '',
    verdict: 'never',
    reason: 'The API server makes it from its flags',
    when: { name: ['kubernetes'] },
    since: '1.29',
  },
  {
    id: 'system-priority-classes',
    resources: ['priorityclasses.scheduling.k8s.io'],
    pointer: '',
    verdict: 'never',
    reason: 'The API server makes it',
    when: { name: ['system-cluster-critical', 'system-node-critical'] },
  },
  ...neverRules(
    {
      'never-storage-versions': ['storageversions.internal.apiserver.k8s.io'],
      'never-component-statuses': ['componentstatuses'],
      'never-reviews': [
        'tokenreviews.authentication.k8s.io',
        'selfsubjectreviews.authentication.k8s.io',
        'subjectaccessreviews.authorization.k8s.io',
        'selfsubjectaccessreviews.authorization.k8s.io',
        'selfsubjectrulesreviews.authorization.k8s.io',
        'localsubjectaccessreviews.authorization.k8s.io',
      ],
      'never-bindings': ['bindings'],
    },
    'State or a question of the API server, nothing that can be restored',
  ),
];

function caBundleRules(id: string, resources: readonly string[], pointer: string): readonly Rule[] {
  return [
    {
      id: `${id}-injected`,
      resources,
      pointer,
      verdict: 'strip',
      reason: 'Put there, and renewed, by a program other than who applied the object',
      when: injected,
    },
    {
      id: `${id}-programmed`,
      resources,
      pointer,
      verdict: 'hold',
      reason: 'A program wrote it last and renews it',
      when: { fact: 'written-by-program' },
    },
    { id, resources, pointer, verdict: 'keep', reason: 'Set by who applied the object' },
  ];
}
