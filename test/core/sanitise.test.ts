import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { KubeObject } from '../../controller/core/object.ts';
import { isLeftOut, sanitise } from '../../controller/core/sanitise.ts';
import { at, builtIn, clean, deployment, object, service, wrote } from './builders.ts';

/** The four faults that other archivers of clusters have. */

test('a headless Service stays headless', () => {
  const headless = clean(service({ clusterIP: 'None', clusterIPs: ['None'], selector: { app: 'web' } }), 'services');
  assert.deepEqual(headless.object['spec'], { clusterIP: 'None', clusterIPs: ['None'], selector: { app: 'web' } });
});

test('a Block claim stays Block', () => {
  const claim = object('v1', 'PersistentVolumeClaim', {
    spec: { volumeMode: 'Block', volumeName: 'pv-1' },
    status: { phase: 'Bound' },
  });
  const result = clean(claim, 'persistentvolumeclaims');
  assert.deepEqual(result.object['spec'], { volumeMode: 'Block', volumeName: 'pv-1' });
  assert.deepEqual(
    result.recorded
      .filter(({ pointer }) => !pointer.startsWith('/metadata'))
      .map(({ pointer, value }) => [pointer, value]),
    [
      ['/spec/volumeName', 'pv-1'],
      ['/status/phase', 'Bound'],
    ],
  );
});

test('fields at the top that are neither spec nor data stay', () => {
  const cases: [string, KubeObject][] = [
    [
      'storageclasses.storage.k8s.io',
      object('storage.k8s.io/v1', 'StorageClass', { provisioner: 'p', parameters: { a: 'b' }, mountOptions: ['ro'] }),
    ],
    [
      'priorityclasses.scheduling.k8s.io',
      object('scheduling.k8s.io/v1', 'PriorityClass', { value: 1000, globalDefault: false, description: '' }),
    ],
    [
      'serviceaccounts',
      object('v1', 'ServiceAccount', { imagePullSecrets: [{ name: 'registry' }], automountServiceAccountToken: false }),
    ],
    ['configmaps', object('v1', 'ConfigMap', { immutable: true, data: {} })],
    ['ciliumnetworkpolicies.cilium.io', object('cilium.io/v2', 'CiliumNetworkPolicy', { specs: [{}] })],
    ['components.dapr.io', object('dapr.io/v1alpha1', 'Component', { scopes: ['app'] })],
  ];
  for (const [resource, value] of cases) {
    const { metadata: _, ...rest } = clean(value, resource).object;
    const { metadata: __, ...expected } = value;
    assert.deepEqual(rest, expected, resource);
  }
});

test('empty objects and lists stay, only null goes', () => {
  const policy = object('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: {
      podSelector: {},
      egress: [{}],
      ingress: [],
      mtls: {},
      off: false,
      none: 0,
      blank: '',
      gone: null,
      list: [null, { x: null }],
    },
  });
  assert.deepEqual(clean(policy, 'networkpolicies.networking.k8s.io').object['spec'], {
    ...{ podSelector: {}, egress: [{}], ingress: [], mtls: {}, off: false, none: 0, blank: '', list: [null, {}] },
  });
  assert.deepEqual(at(clean(deployment(), 'deployments.apps').object, 'spec', 'template', 'spec', 'volumes', 0), {
    name: 'tmp',
    emptyDir: {},
  });
});

/** What the server and its controllers write. */

test('an object comes out with what its author wrote', () => {
  const { object: file } = clean(
    deployment({ metadata: { labels: { app: 'web' }, managedFields: [wrote('kubectl', {})], selfLink: '/x' } }),
    'deployments.apps',
  );
  assert.deepEqual(file.metadata, { name: 'web', namespace: 'shop', labels: { app: 'web' } });
  assert.deepEqual(Object.keys(file), ['apiVersion', 'kind', 'metadata', 'spec']);
  assert.deepEqual(at(file, 'spec', 'template', 'metadata'), { labels: { app: 'web' } });
});

test('the version, the uid and the time of creation go to the trailers', () => {
  const { recorded, evidence } = clean(deployment(), 'deployments.apps');
  assert.deepEqual(
    recorded.map(({ pointer }) => pointer),
    ['/metadata/uid', '/metadata/resourceVersion', '/metadata/creationTimestamp'],
  );
  assert.equal(evidence.resourceVersion, '4711');
});

test('a map of annotations goes when the rules have emptied it, and an empty one of the user stays', () => {
  const emptied = object('v1', 'ConfigMap', {
    metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' }, finalizers: ['orphan'] },
  });
  assert.deepEqual(clean(emptied, 'configmaps').object.metadata, { name: 'web', namespace: 'shop' });
  const template = deployment({ spec: { template: { metadata: { annotations: {} } } } });
  assert.deepEqual(at(clean(template, 'deployments.apps').object, 'spec', 'template', 'metadata'), { annotations: {} });
});

test('annotations are taken by their exact keys, so that neighbours stay', () => {
  const stays = {
    'kubectl.kubernetes.io/default-container': 'web',
    'kubectl.kubernetes.io/restartedAt': '2026-01-01',
    'argocd.argoproj.io/sync-wave': '1',
    'meta.helm.sh/release-name': 'web',
    'checksum/config': 'abc',
    'example.com/any': 'thing',
  };
  const goes = {
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'deployment.kubernetes.io/revision': '7',
    'argocd.argoproj.io/tracking-id': 'x',
    'k8s.ovn.org/pod-networks': '{}',
    'field.cattle.io/publicEndpoints': '[]',
    'service.beta.openshift.io/serving-cert-generation-error-num': '1',
  };
  const value = deployment({ metadata: { annotations: { ...stays, ...goes } } });
  assert.deepEqual(clean(value, 'deployments.apps').object.metadata['annotations'], stays);
});

test('finalizers of controllers go, those of others stay, sorted', () => {
  const value = object('v1', 'ConfigMap', {
    metadata: { finalizers: ['z.example/last', 'foregroundDeletion', 'external-attacher/csi', 'a.example/first'] },
  });
  assert.deepEqual(clean(value, 'configmaps').object.metadata['finalizers'], ['a.example/first', 'z.example/last']);
});

test('a terminating object says so, and not in the file', () => {
  const value = object('v1', 'ConfigMap', {
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  });
  const result = clean(value, 'configmaps');
  assert.equal(result.terminating, true);
  assert.deepEqual(result.object.metadata, { name: 'web', namespace: 'shop' });
  assert.equal(clean(deployment(), 'deployments.apps').terminating, false);
});

test('arrays keep their order', () => {
  const value = deployment({
    spec: {
      template: { spec: { containers: [{ name: 'z' }, { name: 'a' }], tolerations: [{ key: 'z' }, { key: 'a' }] } },
    },
  });
  assert.deepEqual(clean(value, 'deployments.apps').object['spec'], value['spec']);
});

test('numbers that a double cannot hold pass untouched', () => {
  const text = '{"apiVersion":"x/v1","kind":"W","metadata":{"name":"a"},"spec":{"big":9223372036854775807,"one":1.0}}';
  const result = sanitise(parseJson(text) as KubeObject, 'widgets.x', builtIn, { includeOwned: false });
  assert.ok(!isLeftOut(result));
  assert.match(renderJson(result.object), /"big": 9223372036854775807,\n {4}"one": 1\.0/);
});

test('__proto__ is only a key, also when it is null or secret', () => {
  const text =
    '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"__proto__":null,"b":"Yg=="},"x":{"__proto__":{"y":1}}}';
  const result = sanitise(parseJson(text) as KubeObject, 'secrets', builtIn, { includeOwned: false });
  assert.ok(!isLeftOut(result));
  assert.equal(JSON.stringify(result.object['data']), '{"__proto__":"","b":"Yg=="}');
  assert.equal(JSON.stringify(result.object['x']), '{"__proto__":{"y":1}}');
  assert.deepEqual(result.secrets, ['/data/__proto__', '/data/b']);
});
