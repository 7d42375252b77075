import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../../controller/core/object.ts';
import { immutableFields, replacementPolicy } from '../../../controller/core/restore/immutable.ts';
import type { PatchOperation, Refused } from '../../../controller/core/restore/ports.ts';
import { archived } from './prepared.ts';

const replace = (path: string, value: Json = 1): PatchOperation => ({ op: 'replace', path, value });
const remove = (path: string): PatchOperation => ({ op: 'remove', path });
const invalid = (...causes: [field: string, message: string][]): Refused => ({
  status: 422,
  reason: 'Invalid',
  message: '',
  causes: causes.map(([field, message]) => ({ field, message })),
});

/** With refusals in the words of the API server. */
for (const [resource, path, field, cause] of [
  [
    'deployments.apps',
    '/spec/selector/matchLabels/app',
    'spec.selector',
    ['spec.selector', 'Invalid value: {"matchLabels":{}}: field is immutable'],
  ],
  [
    'jobs.batch',
    '/spec/template/spec/containers/0/image',
    'spec.template',
    ['spec.template', 'Invalid value: {}: field is immutable'],
  ],
  [
    'statefulsets.apps',
    '/spec/serviceName',
    'spec.serviceName',
    ['spec', "Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' are forbidden"],
  ],
  [
    'statefulsets.apps',
    '/spec/volumeClaimTemplates/0/spec/storageClassName',
    'spec.volumeClaimTemplates',
    ['spec', 'Forbidden: updates to statefulset spec for fields other than'],
  ],
  [
    'persistentvolumeclaims',
    '/spec/storageClassName',
    'spec.storageClassName',
    ['spec', 'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName'],
  ],
  [
    'persistentvolumes',
    '/spec/csi/volumeHandle',
    'spec.csi',
    ['spec.persistentvolumesource', 'Forbidden: spec.persistentvolumesource is immutable after creation'],
  ],
  [
    'services',
    '/spec/clusterIP',
    'spec.clusterIP',
    ['spec.clusterIPs[0]', 'Invalid value: ["10.0.0.1"]: may not change once set'],
  ],
  ['secrets', '/type', 'type', ['type', 'Invalid value: "Opaque": field is immutable']],
  [
    'rolebindings.rbac.authorization.k8s.io',
    '/roleRef/name',
    'roleRef',
    ['roleRef', 'Invalid value: {}: cannot change roleRef'],
  ],
  [
    'storageclasses.storage.k8s.io',
    '/parameters/type',
    'parameters',
    ['parameters', 'Forbidden: updates to parameters are forbidden.'],
  ],
  ['priorityclasses.scheduling.k8s.io', '/value', 'value', ['value', 'Forbidden: may not be changed in an update.']],
  [
    'ingressclasses.networking.k8s.io',
    '/spec/controller',
    'spec.controller',
    ['spec.controller', 'Invalid value: "x": field is immutable'],
  ],
  ['runtimeclasses.node.k8s.io', '/handler', 'handler', ['handler', 'Invalid value: "x": field is immutable']],
  [
    'customresourcedefinitions.apiextensions.k8s.io',
    '/spec/scope',
    'spec.scope',
    ['spec.scope', 'Invalid value: "Cluster": field is immutable'],
  ],
  [
    'pods',
    '/spec/containers/0/env',
    'spec.containers',
    ['spec', 'Forbidden: pod updates may not change fields other than'],
  ],
] as const) {
  test(`${field} of ${resource} is known to stay, with the server's word and without`, () => {
    const operations: PatchOperation[] = [
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      replace(path),
      replace('/metadata/labels/a'),
    ];
    assert.deepEqual(immutableFields(resource, undefined, operations), [field]);
    const named = immutableFields(resource, invalid([cause[0], cause[1]]), operations);
    assert.deepEqual(named, resource === 'services' ? [field, cause[0]] : [field]);
  });
}

for (const [resource, path] of [
  ['deployments.apps', '/spec/template/spec/containers/0/image'],
  ['statefulsets.apps', '/spec/template/metadata/labels/a'],
  ['statefulsets.apps', '/spec/replicas'],
  ['persistentvolumeclaims', '/spec/resources/requests/storage'],
  ['persistentvolumes', '/spec/claimRef/name'],
  ['pods', '/spec/containers/0/image'],
  ['services', '/spec/ports/0/port'],
  ['configmaps', '/data/a'],
  ['widgets.example.com', '/spec/selector'],
] as const) {
  test(`${path} of ${resource} is not taken for immutable`, () => {
    assert.deepEqual(immutableFields(resource, undefined, [replace(path)]), []);
  });
}

test('a sealed ConfigMap or Secret stays sealed, and the server names its data', () => {
  assert.deepEqual(immutableFields('configmaps', undefined, [remove('/immutable')]), ['immutable']);
  assert.deepEqual(immutableFields('configmaps', undefined, [{ op: 'add', path: '/immutable', value: true }]), []);
  const refused = invalid(['data', 'Forbidden: field is immutable when `immutable` is set']);
  assert.deepEqual(immutableFields('secrets', refused, [replace('/data/a')]), ['data']);
});

test('of a Secret the server passes on only what kind of refusal it is, and that is enough', () => {
  assert.deepEqual(immutableFields('secrets', invalid(['type', 'invalid']), [replace('/type')]), ['type']);
  assert.deepEqual(immutableFields('secrets', invalid(['data', 'forbidden']), [replace('/data/a')]), ['data']);
  assert.deepEqual(immutableFields('secrets', invalid(['data[tls.crt]', 'required']), [replace('/type')]), []);
});

test('what only the server knows is named as it names it', () => {
  const refused = invalid(['spec.size', 'Invalid value: "string": size is immutable']);
  assert.deepEqual(immutableFields('widgets.example.com', refused, [replace('/spec/size')]), ['spec.size']);
});

test('what a new object would be refused for, too, is no reason to delete the one that lives', () => {
  const refused = invalid(['spec.selector', 'field is immutable'], ['spec.template.spec.containers', 'Required value']);
  assert.deepEqual(immutableFields('deployments.apps', refused, [replace('/spec/selector')]), []);
});

test('a refusal about something else makes nothing immutable', () => {
  const refused = { status: 403, reason: 'Forbidden', message: 'quota', causes: [] };
  assert.deepEqual(immutableFields('deployments.apps', refused, [replace('/spec/selector')]), []);
  const wrong = invalid(['spec.replicas', 'Invalid value: -1: must be greater than or equal to 0']);
  assert.deepEqual(immutableFields('deployments.apps', wrong, [replace('/spec/replicas', -1)]), []);
});

test('a whole that is replaced changes what is inside it', () => {
  assert.deepEqual(
    immutableFields('customresourcedefinitions.apiextensions.k8s.io', undefined, [replace('/spec/names', {})]),
    ['spec.names.plural'],
  );
});

test('workloads leave their pods to the new one, unless it selects others', () => {
  const { propagation } = replacementPolicy('statefulsets.apps', ['spec.serviceName']);
  assert.equal(propagation, 'Orphan');
  assert.equal(replacementPolicy('deployments.apps', ['spec.selector']).propagation, 'Background');
  assert.equal(replacementPolicy('jobs.batch', ['spec.template']).propagation, 'Background');
});

test('what carries data or other objects is never deleted to be made again', () => {
  for (const resource of [
    'namespaces',
    'persistentvolumes',
    'persistentvolumeclaims',
    'customresourcedefinitions.apiextensions.k8s.io',
  ]) {
    assert.equal(replacementPolicy(resource, ['spec']).allowed, false);
  }
});

test('a claim that nothing is bound to holds no data', () => {
  const claim = (spec: { volumeName?: string }, phase: string) =>
    archived('v1', 'PersistentVolumeClaim', { spec, status: { phase } });
  const allowed = (live: ReturnType<typeof claim>) =>
    replacementPolicy('persistentvolumeclaims', ['spec.storageClassName'], { live }).allowed;
  assert.equal(allowed(claim({}, 'Pending')), true);
  assert.equal(allowed(claim({ volumeName: 'pv' }, 'Pending')), false);
  assert.equal(allowed(claim({}, 'Lost')), false);
});

test('children of a custom resource are left when it is made again', () => {
  assert.equal(replacementPolicy('widgets.example.com', ['spec.size']).propagation, 'Orphan');
  assert.equal(replacementPolicy('storageclasses.storage.k8s.io', ['parameters']).propagation, 'Background');
});

for (const [message, expected] of [
  ['Invalid value: "x": field is immutable', true],
  ['Forbidden: updates to parameters are forbidden.', true],
  ['Invalid value: []: primary clusterIP can not be unset', true],
  ['Invalid value: {}: cannot change roleRef', true],
  ['Invalid value: "object": the name cannot be changed', true],
  ['Forbidden: pod updates may not change fields other than `spec.containers[*].image`', true],
  ['Invalid value: "object": failed rule: self == oldSelf', true],
  ["Forbidden: may not be specified when strategy `type` is 'Recreate'", false],
  ['Required value', false],
  ['Too long: may not be more than 63 bytes', false],
] as const) {
  test(`"${message}" ${expected ? 'says' : 'does not say'} that a field stays as it is`, () => {
    const named = immutableFields('widgets.example.com', invalid(['spec.x', message]), [replace('/spec/x')]);
    assert.deepEqual(named, expected ? ['spec.x'] : []);
  });
}
