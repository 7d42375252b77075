import type { Rule } from './rule.ts';

const maps = ['configmaps'];
const secrets = ['secrets'];
const accounts = ['serviceaccounts'];
const generatedSecrets = ['*-token-?????', '*-dockercfg-?????'];

/** ConfigMaps, ServiceAccounts and Namespaces; secrets.ts has the Secrets. */
export const configurationRules: readonly Rule[] = [
  {
    id: 'root-ca-maps',
    resources: maps,
    pointer: '',
    verdict: 'never',
    reason: 'A controller puts it into every namespace',
    when: { name: ['kube-root-ca.crt', 'openshift-service-ca.crt', 'istio-ca-root-cert'] },
  },
  {
    id: 'cluster-state-maps',
    resources: maps,
    pointer: '',
    verdict: 'never',
    reason: 'A component of the cluster rewrites it',
    when: {
      any: [
        {
          namespace: ['kube-system'],
          name: [
            'cluster-autoscaler-status',
            'extension-apiserver-authentication',
            'kube-apiserver-legacy-service-account-token-tracking',
          ],
        },
        { namespace: ['kube-public'], name: ['cluster-info'] },
      ],
    },
  },
  {
    id: 'leader-maps',
    resources: ['configmaps', 'endpoints'],
    pointer: '/metadata/annotations/control-plane.alpha.kubernetes.io~1leader',
    verdict: 'never',
    reason: 'Leader election; renewed every few seconds',
  },
  {
    id: 'lock-maps',
    resources: maps,
    pointer: '',
    verdict: 'never',
    reason: 'An empty map that a program holds as its lock',
    when: {
      name: ['*-lock', '*-leader', '*-leader-election', '*leader-election*'],
      fact: 'without-data',
      owners: ['Pod'],
    },
  },
  {
    id: 'build-maps',
    resources: maps,
    pointer: '',
    verdict: 'never',
    reason: 'Made for one build',
    when: { name: ['*-ca', '*-global-ca', '*-sys-config'], owners: ['Build', 'Pod'] },
  },
  {
    id: 'revision-copies',
    resources: [...maps, ...secrets],
    pointer: '',
    verdict: 'never',
    reason: 'A copy that an OpenShift operator makes for each roll-out',
    when: {
      namespace: ['openshift-*'],
      any: [{ name: ['revision-status-*'] }, { owners: ['ConfigMap/revision-status-*'] }],
    },
  },
  {
    id: 'trusted-ca-bundle',
    resources: maps,
    pointer: '/data/ca-bundle.crt',
    verdict: 'strip',
    reason: 'OpenShift injects it',
    when: { labels: ['config.openshift.io/inject-trusted-cabundle=true'] },
  },
  {
    id: 'service-ca-bundle',
    resources: maps,
    pointer: '/data/service-ca.crt',
    verdict: 'strip',
    reason: 'OpenShift injects it',
    when: {
      annotations: [
        'service.beta.openshift.io/inject-cabundle=true',
        'service.alpha.openshift.io/inject-cabundle=true',
      ],
    },
  },
  {
    id: 'map-null-values',
    resources: maps,
    pointer: '/binaryData/*',
    verdict: 'keep',
    reason: 'An empty value may be sent as null, and its key must stay',
    nullIs: '',
  },
  { id: 'map-immutable', resources: maps, pointer: '/immutable', verdict: 'keep', reason: 'Intent' },
  {
    id: 'default-account',
    resources: accounts,
    pointer: '',
    verdict: 'never',
    reason: 'Made in every namespace, and nobody changed it',
    when: { name: ['default'], fact: 'unchanged-account' },
  },
  {
    id: 'openshift-accounts',
    resources: accounts,
    pointer: '',
    verdict: 'never',
    reason: 'OpenShift makes it in every project',
    when: { name: ['builder', 'deployer', 'pipeline'], fact: 'unchanged-account' },
  },
  ...['secrets', 'imagePullSecrets'].flatMap((list): Rule[] => {
    const id = list === 'secrets' ? 'account-secrets' : 'account-pull-secrets';
    return [
      {
        id: `${id}-generated`,
        resources: accounts,
        pointer: `/${list}/*`,
        verdict: 'strip',
        reason: 'A token or pull secret made for the account; another one when it is made again',
        when: { parts: { '/name': generatedSecrets } },
      },
      {
        id,
        resources: accounts,
        pointer: `/${list}`,
        verdict: 'keep',
        reason: 'Kept, sorted because it is a set that controllers add to',
        sorted: true,
      },
    ];
  }),
  {
    id: 'account-pull-secret-reference',
    resources: accounts,
    pointer: '/metadata/annotations/openshift.io~1internal-registry-pull-secret-ref',
    verdict: 'strip',
    reason: 'Names a generated secret',
    since: 'OpenShift 4.16',
  },
  {
    id: 'namespace-finalizers',
    resources: ['namespaces'],
    pointer: '/spec/finalizers',
    verdict: 'strip',
    reason: 'Set by the API server',
  },
  {
    id: 'pod-security-synced',
    resources: ['namespaces'],
    pointer: '/metadata/labels/pod-security.kubernetes.io~1*',
    verdict: 'hold',
    reason: "OpenShift's label syncer wrote it",
    when: { writer: ['pod-security-admission-label-synchronization-controller', 'cluster-policy-controller'] },
  },
  {
    id: 'pod-security',
    resources: ['namespaces'],
    pointer: '/metadata/labels/pod-security.kubernetes.io~1*',
    verdict: 'keep',
    reason: 'Decides what pods may do',
  },
];
