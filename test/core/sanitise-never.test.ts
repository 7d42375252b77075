import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../../controller/core/object.ts';
import { leftOutBy, object, wrote } from './builders.ts';

test('what is not archived says by which rule', () => {
  const named = (kind: string, metadata: JsonObject, rest: JsonObject = {}) =>
    object('v1', kind, { metadata, ...rest });
  const cases: [string, KubeObject, string | undefined][] = [
    ['events', named('Event', {}), 'never-events'],
    ['leases.coordination.k8s.io', named('Lease', {}), 'never-leases'],
    ['nodes', named('Node', {}), 'never-nodes'],
    ['controllerrevisions.apps', named('ControllerRevision', {}), 'never-controller-revisions'],
    ['configmaps', named('ConfigMap', { name: 'kube-root-ca.crt' }), 'root-ca-maps'],
    [
      'configmaps',
      named('ConfigMap', { namespace: 'kube-system', name: 'extension-apiserver-authentication' }),
      'cluster-state-maps',
    ],
    ['configmaps', named('ConfigMap', { name: 'extension-apiserver-authentication' }), undefined],
    [
      'configmaps',
      named('ConfigMap', { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
      'leader-maps',
    ],
    [
      'endpoints',
      named('Endpoints', { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
      'leader-maps',
    ],
    [
      'endpoints',
      named('Endpoints', { labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } }),
      'endpoints-of-selector',
    ],
    [
      'endpoints',
      named('Endpoints', { managedFields: [wrote('kube-controller-manager', { 'f:subsets': {} })] }, { subsets: [] }),
      'endpoints-of-controller',
    ],
    [
      'endpoints',
      named('Endpoints', { managedFields: [wrote('kubectl', { 'f:subsets': {} })] }, { subsets: [] }),
      undefined,
    ],
    [
      'endpointslices.discovery.k8s.io',
      named('EndpointSlice', {
        labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
      }),
      'endpoint-slices-of-controller',
    ],
    ['endpointslices.discovery.k8s.io', named('EndpointSlice', {}), undefined],
    ['services', named('Service', { namespace: 'default', name: 'kubernetes' }), 'default-kubernetes-service'],
    [
      'serviceaccounts',
      named('ServiceAccount', { name: 'default' }, { secrets: [{ name: 'default-token-abcde' }] }),
      'default-account',
    ],
    [
      'serviceaccounts',
      named('ServiceAccount', { name: 'default' }, { imagePullSecrets: [{ name: 'registry' }] }),
      undefined,
    ],
    [
      'serviceaccounts',
      named('ServiceAccount', { name: 'default' }, { automountServiceAccountToken: false }),
      undefined,
    ],
    [
      'clusterroles.rbac.authorization.k8s.io',
      named('ClusterRole', { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }),
      'rbac-defaults',
    ],
    ['clusterroles.rbac.authorization.k8s.io', named('ClusterRole', { name: 'system:controller:x' }), undefined],
    [
      'clusterroles.rbac.authorization.k8s.io',
      named('ClusterRole', { name: 'system:x', managedFields: [wrote('kube-apiserver', {})] }),
      'system-roles',
    ],
    [
      'flowschemas.flowcontrol.apiserver.k8s.io',
      named('FlowSchema', { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } }),
      'flow-control-defaults',
    ],
    ['servicecidrs.networking.k8s.io', named('ServiceCIDR', { name: 'kubernetes' }), 'default-service-cidr'],
    [
      'priorityclasses.scheduling.k8s.io',
      named('PriorityClass', { name: 'system-node-critical' }),
      'system-priority-classes',
    ],
    [
      'apiservices.apiregistration.k8s.io',
      named('APIService', { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } }),
      'local-api-services',
    ],
    [
      'secrets',
      named(
        'Secret',
        { name: 'web-token-x7k2p', annotations: { 'kubernetes.io/service-account.name': 'web' } },
        { type: 'kubernetes.io/service-account-token' },
      ),
      'generated-account-tokens',
    ],
    ['secrets', named('Secret', {}, { type: 'bootstrap.kubernetes.io/token' }), 'bootstrap-tokens'],
    ['policyreports.wgpolicyk8s.io', named('PolicyReport', {}), 'never-policy-reports'],
    ['vulnerabilityreports.aquasecurity.github.io', named('VulnerabilityReport', {}), 'never-trivy-reports'],
    ['pods', named('Pod', { annotations: { 'kubernetes.io/config.mirror': 'x' } }), 'mirror-pod'],
  ];
  for (const [resource, value, rule] of cases)
    assert.equal(leftOutBy(value, resource), rule, `${resource} ${JSON.stringify(value.metadata)}`);
});
