import type { JsonObject } from '../../../controller/core/object.ts';
import { type Fixture, inCluster, inNamespace, NAMESPACE } from './fixture.ts';

const group = 'rbac.authorization.k8s.io';
const apiVersion = `${group}/v1`;
const readPods: JsonObject = { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] };

/** RBAC takes any path segment as a name: these are the names that a file system or a URL trips over. */
const awkwardNames = [
  'system:controller:shop',
  'Ab',
  'ab',
  'AB',
  '...',
  '.git',
  '-rf',
  'con',
  'trailing.',
  'Betrieb Wien (Größe 😀)',
  'two\nlines',
  'back\\slash"quote*?',
  `${'long:'.repeat(50)}end`,
  `${'Ö'.repeat(120)}end`,
] as const;

export const rbacFixtures: readonly Fixture[] = [
  ...awkwardNames.map((name) =>
    inNamespace(`roles.${group}`, { apiVersion, kind: 'Role', metadata: { name }, rules: [readPods] }),
  ),
  ...['system:controller:shop', 'Ab', 'ab', `${'long:'.repeat(50)}end`].map((name) =>
    inCluster(`clusterroles.${group}`, { apiVersion, kind: 'ClusterRole', metadata: { name }, rules: [readPods] }),
  ),
  inNamespace(`roles.${group}`, { apiVersion, kind: 'Role', metadata: { name: 'without-rules' }, rules: [] }),
  inNamespace(`roles.${group}`, {
    apiVersion,
    kind: 'Role',
    metadata: { name: 'some-names' },
    rules: [
      { apiGroups: ['apps', ''], resources: ['deployments/scale'], resourceNames: ['web'], verbs: ['*'] },
      { apiGroups: ['*'], resources: ['*'], verbs: ['watch'] },
    ],
  }),
  inCluster(`clusterroles.${group}`, {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name: 'fixture-collected', labels: { purpose: 'collected' } },
    aggregationRule: {
      clusterRoleSelectors: [
        { matchLabels: { 'example.com/collect': 'true' } },
        { matchExpressions: [{ key: 'example.com/also', operator: 'Exists' }] },
      ],
    },
  }),
  inCluster(`clusterroles.${group}`, {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name: 'fixture-part', labels: { 'example.com/collect': 'true' } },
    rules: [readPods, { nonResourceURLs: ['/metrics', '/healthz/*'], verbs: ['get'] }],
  }),
  inNamespace(`rolebindings.${group}`, {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name: 'Ab' },
    subjects: [
      { kind: 'ServiceAccount', name: 'runner', namespace: NAMESPACE },
      { kind: 'User', name: 'jane@example.com', apiGroup: group },
      { kind: 'Group', name: 'system:serviceaccounts:elsewhere', apiGroup: group },
    ],
    roleRef: { apiGroup: group, kind: 'Role', name: 'Ab' },
  }),
  inNamespace(`rolebindings.${group}`, {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name: 'nobody-yet' },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'view' },
  }),
  inCluster(`clusterrolebindings.${group}`, {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'fixture:binding' },
    subjects: [{ kind: 'Group', name: 'auditors', apiGroup: group }],
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'fixture-collected' },
  }),
];
