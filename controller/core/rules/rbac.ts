import type { Condition, Rule } from './rule.ts';

const group = 'rbac.authorization.k8s.io';
const roles = [`roles.${group}`, `clusterroles.${group}`];
const bindings = [`rolebindings.${group}`, `clusterrolebindings.${group}`];
/** A person who changes a default role turns its reconciling off with this. */
const ownedByPerson: Condition = { annotations: ['rbac.authorization.kubernetes.io/autoupdate=false'] };

/** Roles and bindings. */
export const rbacRules: readonly Rule[] = [
  {
    id: 'rbac-defaults',
    resources: [...roles, ...bindings],
    pointer: '',
    verdict: 'never',
    reason: 'The API server makes and repairs it',
    when: { labels: ['kubernetes.io/bootstrapping=rbac-defaults'], not: ownedByPerson },
  },
  {
    id: 'system-roles',
    resources: [...roles, ...bindings],
    pointer: '',
    verdict: 'never',
    reason: 'A component of the cluster makes and repairs it',
    when: {
      name: ['system:*'],
      any: [
        { annotations: ['rbac.authorization.kubernetes.io/autoupdate=true'] },
        {
          writer: ['kube-*', 'openshift-*', 'cluster-version-operator', 'service-ca-operator', 'olm', 'packageserver'],
        },
      ],
    },
  },
  {
    id: 'openshift-system-bindings',
    resources: [`rolebindings.${group}`],
    pointer: '',
    verdict: 'never',
    reason: 'OpenShift makes it in every project',
    when: { name: ['system:image-pullers', 'system:image-builders', 'system:deployers'] },
  },
  {
    id: 'aggregated-rules',
    resources: [`clusterroles.${group}`],
    pointer: '/rules',
    verdict: 'strip',
    reason: 'Collected from other roles whenever one of them changes',
    when: { fields: { '/aggregationRule': ['*'] } },
  },
  {
    id: 'binding-subject-namespace',
    resources: bindings,
    pointer: '/subjects/*/namespace',
    verdict: 'restore-only',
    reason: 'Another name in another namespace',
  },
  {
    id: 'openshift-rbac-mirror',
    resources: ['*.authorization.openshift.io'],
    pointer: '',
    verdict: 'never',
    reason: 'A second view of the RBAC objects',
  },
];
