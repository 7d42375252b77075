import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archived, OTHER_CLUSTER, OTHER_NAMESPACE, sent } from './prepared.ts';

/** Rights, and what extends the API: what names a namespace names the new one. */

const bindings = 'rolebindings.rbac.authorization.k8s.io';

test('subjects of the own namespace become those of the new one, others stay', () => {
  const object = archived('rbac.authorization.k8s.io/v1', 'RoleBinding', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'shop' },
    subjects: [
      { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
      { kind: 'ServiceAccount', name: 'ci', namespace: 'build' },
      { kind: 'User', name: 'system:serviceaccount:shop:web' },
      { kind: 'User', name: 'system:serviceaccount:shopping:web' },
      { kind: 'Group', name: 'system:serviceaccounts:shop' },
      { kind: 'Group', name: 'system:serviceaccounts' },
      { kind: 'User', name: 'shop' },
    ],
  });
  const moved = sent(object, bindings, OTHER_NAMESPACE);
  assert.deepEqual(moved.object['subjects'], [
    { kind: 'ServiceAccount', name: 'web', namespace: 'drill' },
    { kind: 'ServiceAccount', name: 'ci', namespace: 'build' },
    { kind: 'User', name: 'system:serviceaccount:drill:web' },
    { kind: 'User', name: 'system:serviceaccount:shopping:web' },
    { kind: 'Group', name: 'system:serviceaccounts:drill' },
    { kind: 'Group', name: 'system:serviceaccounts' },
    { kind: 'User', name: 'shop' },
  ]);
  assert.deepEqual(moved.object['roleRef'], object['roleRef']);
  assert.deepEqual(moved.notes, ['names namespace drill instead of shop']);
  assert.deepEqual(sent(object, bindings, OTHER_CLUSTER).object, object);
});

test('webhooks, definitions and API services call the service in the new namespace', () => {
  const clientConfig = { service: { name: 'hook', namespace: 'shop' }, caBundle: 'Q0E=' };
  const moved = { service: { name: 'hook', namespace: 'drill' }, caBundle: 'Q0E=' };
  for (const [object, resource, expected] of [
    [
      archived('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', { webhooks: [{ clientConfig }] }),
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
      { webhooks: [{ clientConfig: moved }] },
    ],
    [
      archived('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig } } },
      }),
      'customresourcedefinitions.apiextensions.k8s.io',
      { spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: moved } } } },
    ],
    [
      archived('apiregistration.k8s.io/v1', 'APIService', { spec: clientConfig }),
      'apiservices.apiregistration.k8s.io',
      { spec: moved },
    ],
  ] as const) {
    const { apiVersion: _, kind: __, metadata: ___, ...rest } = sent(object, resource, OTHER_NAMESPACE).object;
    assert.deepEqual(rest, expected);
    assert.deepEqual(sent(object, resource, OTHER_CLUSTER).notes, [
      'caBundle is that of the cluster that it was archived in',
    ]);
  }
});

test('what v1 of the API no longer takes becomes what it takes', () => {
  const webhooks = [{ sideEffects: 'Some' }, { sideEffects: 'NoneOnDryRun' }];
  const hook = archived('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', { webhooks });
  const hooks = sent(hook, 'mutatingwebhookconfigurations.admissionregistration.k8s.io').object['webhooks'];
  assert.deepEqual(hooks, [{ sideEffects: 'None' }, { sideEffects: 'NoneOnDryRun' }]);
  const definition = archived('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
    spec: { preserveUnknownFields: true, versions: [{ name: 'v1', schema: { openAPIV3Schema: { type: 'object' } } }] },
  });
  const { object } = sent(definition, 'customresourcedefinitions.apiextensions.k8s.io');
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  assert.deepEqual(object['spec'], { preserveUnknownFields: false, versions: [{ name: 'v1', schema }] });
});

test('a field of somebody else that names the old namespace is pointed at, and not changed', () => {
  const object = archived('monitoring.example/v1', 'Monitor', {
    spec: {
      target: { name: 'web', namespace: 'shop' },
      selector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
    },
  });
  const moved = sent(object, 'monitors.monitoring.example', OTHER_NAMESPACE);
  assert.deepEqual(moved.object['spec'], object['spec']);
  assert.deepEqual(moved.notes, [
    'still names namespace shop in /spec/target/namespace, /spec/selector/matchLabels/kubernetes.io~1metadata.name',
  ]);
});
