import { annotationRules, neverRules } from './build-rules.ts';
import type { Rule } from './rule.ts';

const routes = ['routes.route.openshift.io'];

/** OpenShift's annotations, routes, projects and cluster configuration; openshift-builds.ts has images and builds. */
export const openshiftRules: readonly Rule[] = [
  ...annotationRules(
    {
      'namespace-uid-range': 'openshift.io/sa.scc.uid-range',
      'namespace-supplemental-groups': 'openshift.io/sa.scc.supplemental-groups',
      'namespace-selinux-level': 'openshift.io/sa.scc.mcs',
    },
    {
      resources: ['namespaces'],
      verdict: 'restore-only',
      reason: 'Files on the volumes belong to this range; restore it before any pod starts',
    },
  ),
  ...annotationRules(
    { 'image-repository-check': 'openshift.io/image.dockerRepositoryCheck' },
    { verdict: 'strip', reason: 'When an image was last looked for' },
  ),
  ...annotationRules(
    {
      'serving-cert-signed-by': 'service.beta.openshift.io/serving-cert-signed-by',
      'serving-cert-alpha-signed-by': 'service.alpha.openshift.io/serving-cert-signed-by',
      'serving-cert-error': 'service.beta.openshift.io/serving-cert-generation-error*',
      'serving-cert-alpha-error': 'service.alpha.openshift.io/serving-cert-generation-error*',
      'serving-cert-expiry': 'service.beta.openshift.io/expiry',
      'serving-cert-service-uid': 'service.beta.openshift.io/originating-service-uid',
    },
    { verdict: 'strip', reason: 'Changes when the certificate is rotated' },
  ),
  ...annotationRules(
    {
      'operator-spec-hash': 'operator.openshift.io/spec-hash',
      'operator-dependencies': 'operator.openshift.io/dep-*',
      'release-stamps': 'release.openshift.io/*',
      'machine-config-current': 'machineconfiguration.openshift.io/currentConfig',
      'machine-config-desired': 'machineconfiguration.openshift.io/desiredConfig',
      'machine-config-state': 'machineconfiguration.openshift.io/state',
      'machine-config-reason': 'machineconfiguration.openshift.io/reason',
      'machine-config-drain': 'machineconfiguration.openshift.io/*Drain*',
      'machine-config-synced': 'machineconfiguration.openshift.io/lastSynced*',
    },
    { verdict: 'strip', reason: 'Stamp of an OpenShift operator' },
  ),
  ...annotationRules(
    { 'route-host-generated': 'openshift.io/host.generated' },
    { resources: routes, verdict: 'keep', reason: 'Decides whether the host is given out anew' },
  ),
  {
    id: 'route-generated-host',
    resources: routes,
    pointer: '/spec/host',
    verdict: 'restore-only',
    reason: 'The router made it from the domain of this cluster',
    when: { annotations: ['openshift.io/host.generated=true'] },
  },
  {
    id: 'route-host',
    resources: routes,
    pointer: '/spec/host',
    verdict: 'keep',
    reason: 'Chosen by a person',
    when: { not: { annotations: ['openshift.io/host.generated=true'] } },
  },
  {
    id: 'route-tls-key',
    resources: routes,
    pointer: '/spec/tls/key',
    verdict: 'keep',
    reason: 'A private key, in clear',
    secret: true,
  },
  {
    id: 'oauth-client-secret',
    resources: ['oauthclients.oauth.openshift.io'],
    pointer: '/secret',
    verdict: 'keep',
    reason: 'The secret of the client, in clear',
    secret: true,
  },
  {
    id: 'oauth-client-additional-secrets',
    resources: ['oauthclients.oauth.openshift.io'],
    pointer: '/additionalSecrets/*',
    verdict: 'keep',
    reason: 'A secret of the client, in clear',
    secret: true,
  },
  {
    id: 'machine-config-password',
    resources: ['machineconfigs.machineconfiguration.openshift.io'],
    pointer: '/spec/config/passwd/users/*/passwordHash',
    verdict: 'keep',
    reason: 'The hash of a password',
    secret: true,
  },
  {
    id: 'rendered-machine-configs',
    resources: ['machineconfigs.machineconfiguration.openshift.io'],
    pointer: '',
    verdict: 'never',
    reason: 'Rendered from the other MachineConfigs',
    when: { name: ['rendered-*'] },
  },
  {
    id: 'security-context-constraints',
    resources: ['securitycontextconstraints.security.openshift.io'],
    pointer: '/users',
    verdict: 'keep',
    reason: 'Who may use it; the whole of it is intent',
  },
  ...neverRules(
    { 'never-projects': ['projects.project.openshift.io', 'projectrequests.project.openshift.io'] },
    'A view of the Namespace',
  ),
  ...neverRules(
    {
      'never-oauth-tokens': [
        'oauthaccesstokens.oauth.openshift.io',
        'oauthauthorizetokens.oauth.openshift.io',
        'useroauthaccesstokens.oauth.openshift.io',
      ],
    },
    'The session of a person; a secret, and gone after a day',
  ),
  ...neverRules(
    {
      'never-sdn-state': ['netnamespaces.network.openshift.io', 'hostsubnets.network.openshift.io'],
      'never-cluster-operators': ['clusteroperators.config.openshift.io'],
      'never-user-identity-mappings': ['useridentitymappings.user.openshift.io'],
    },
    'State of an OpenShift operator',
  ),
];
