import type { Rule } from './rule.ts';

const secrets = ['secrets'];
const token = { '/type': ['kubernetes.io/service-account-token'] };

/** Secrets. A value that stays is sealed by the secrets policy; what a controller makes again is left out. */
export const secretsRules: readonly Rule[] = [
  {
    id: 'secret-values',
    resources: secrets,
    pointer: '/data/*',
    verdict: 'keep',
    reason: 'The value of a Secret',
    secret: true,
    nullIs: '',
  },
  {
    id: 'secret-string-values',
    resources: secrets,
    pointer: '/stringData/*',
    verdict: 'keep',
    reason: 'The value of a Secret; the API server turns it into data',
    secret: true,
    nullIs: '',
  },
  {
    id: 'generated-account-tokens',
    resources: secrets,
    pointer: '',
    verdict: 'never',
    reason: 'Made for a ServiceAccount, and made again with it',
    when: { fields: token, fact: 'generated-token-name' },
  },
  ...['token', 'ca.crt', 'namespace'].map(
    (key): Rule => ({
      id: `account-token-${key.replace('.', '-')}`,
      resources: secrets,
      pointer: `/data/${key}`,
      verdict: 'strip',
      reason: 'Filled in by the token controller',
      when: { fields: token },
    }),
  ),
  {
    id: 'bootstrap-tokens',
    resources: secrets,
    pointer: '',
    verdict: 'never',
    reason: 'Lets a node join, for a day',
    when: { fields: { '/type': ['bootstrap.kubernetes.io/token'] } },
  },
  {
    id: 'account-dockercfg',
    resources: secrets,
    pointer: '',
    verdict: 'never',
    reason: 'The pull secret that OpenShift makes for a ServiceAccount',
    when: {
      fields: { '/type': ['kubernetes.io/dockercfg', 'kubernetes.io/dockerconfigjson'] },
      annotations: [
        'kubernetes.io/service-account.name',
        'openshift.io/token-secret.name',
        'openshift.io/internal-registry-auth-token.*',
      ],
    },
  },
  {
    id: 'serving-certificates',
    resources: secrets,
    pointer: '',
    verdict: 'never',
    reason: 'OpenShift makes and rotates the certificate for a Service',
    when: {
      annotations: [
        'service.beta.openshift.io/originating-service-name',
        'service.alpha.openshift.io/originating-service-name',
      ],
    },
  },
  {
    id: 'helm-releases',
    resources: secrets,
    pointer: '',
    verdict: 'hold',
    reason: 'One per upgrade, beside the upgrade itself; without it Helm cannot go on',
    when: { fields: { '/type': ['helm.sh/release.v1'] } },
  },
  ...['type', 'immutable'].map(
    (field): Rule => ({
      id: `secret-${field}`,
      resources: secrets,
      pointer: `/${field}`,
      verdict: 'keep',
      reason: 'Cannot be changed later',
    }),
  ),
];
