import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { parseQuantity, renderQuantity } from '../../../controller/core/restore/quantity.ts';
import { quotaProblems } from '../../../controller/core/restore/quota.ts';
import { archived } from './prepared.ts';

const quota = (hard: JsonObject, used: JsonObject = {}, spec: JsonObject = {}): KubeObject =>
  archived('v1', 'ResourceQuota', { metadata: { name: 'team' }, spec: { hard, ...spec }, status: { hard, used } });
const made = (resource: string, name: string, fields: JsonObject = {}) => ({
  resource,
  object: archived('v1', 'X', { metadata: { name }, ...fields }),
});
const problems = (quotas: readonly KubeObject[], ...created: ReturnType<typeof made>[]) => [
  ...quotaProblems(quotas, created).entries(),
];

test('the objects that go beyond a quota are named, in the order in which they are made', () => {
  const found = problems(
    [quota({ configmaps: '3' }, { configmaps: '1' })],
    made('configmaps', 'a'),
    made('secrets', 's'),
    made('configmaps', 'b'),
    made('configmaps', 'c'),
  );
  assert.deepEqual(found, [
    ['configmaps/c', 'quota team has no room: configmaps is limited to 3, nothing is left, and it needs 1'],
  ]);
});

for (const [name, object, count] of [
  ['count/deployments.apps', made('deployments.apps', 'a'), 1],
  ['count/widgets.example.com', made('widgets.example.com', 'a'), 1],
  ['count/configmaps', made('configmaps', 'a'), 1],
  ['pods', made('pods', 'a'), 1],
  ['services', made('services', 'a'), 1],
  ['services.loadbalancers', made('services', 'a', { spec: { type: 'LoadBalancer' } }), 1],
  ['services.nodeports', made('services', 'a', { spec: { type: 'NodePort', ports: [{}, {}] } }), 2],
  ['services.nodeports', made('services', 'a', { spec: { type: 'LoadBalancer', ports: [{}] } }), 1],
  ['persistentvolumeclaims', made('persistentvolumeclaims', 'a'), 1],
  ['openshift.io/imagestreams', made('imagestreams.image.openshift.io', 'a'), 1],
] as const) {
  test(`${name} counts ${object.resource} ${count} times`, () => {
    assert.equal(problems([quota({ [name]: String(count) })], object).length, 0);
    assert.equal(problems([quota({ [name]: String(count - 1) })], object).length, 1);
  });
}

test('a balancer without node ports, and a Service without ports of nodes, take none', () => {
  const quotas = [quota({ 'services.nodeports': '0' })];
  const spec = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{}] };
  assert.deepEqual(
    problems(quotas, made('services', 'a', { spec }), made('services', 'b', { spec: { ports: [{}] } })),
    [],
  );
});

test('storage is added up, for the namespace and for each class', () => {
  const claim = (name: string, storage: string, storageClassName?: string) =>
    made('persistentvolumeclaims', name, {
      spec: { resources: { requests: { storage } }, ...(storageClassName === undefined ? {} : { storageClassName }) },
    });
  const quotas = [
    quota(
      {
        'requests.storage': '10Gi',
        'fast.storageclass.storage.k8s.io/requests.storage': '5Gi',
        'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '2',
      },
      { 'requests.storage': '1Gi' },
    ),
  ];
  const found = problems(
    quotas,
    claim('a', '4Gi', 'fast'),
    claim('b', '2Gi', 'fast'),
    claim('c', '4096Mi'),
    claim('d', '1536Mi'),
  );
  assert.deepEqual(
    found.map(([name, why]) => [name, why.replace(/^.*: /, '')]),
    [
      [
        'persistentvolumeclaims/b',
        'fast.storageclass.storage.k8s.io/requests.storage is limited to 5Gi, 1Gi is left, and it needs 2Gi',
      ],
      ['persistentvolumeclaims/d', 'requests.storage is limited to 10Gi, 1Gi is left, and it needs 1536Mi'],
    ],
  );
});

test('a bare pod counts what its containers ask for, or an init container that asks for more', () => {
  const containers = [
    { resources: { requests: { cpu: '250m' }, limits: { memory: '1Gi' } } },
    { resources: { requests: { cpu: '0.25' } } },
  ];
  const pod = made('pods', 'a', { spec: { containers, initContainers: [{ resources: { requests: { cpu: '2' } } }] } });
  assert.deepEqual(problems([quota({ 'requests.cpu': '2', 'limits.memory': '1Gi', memory: '1Gi' })], pod), []);
  assert.match(
    problems([quota({ cpu: '1900m' })], pod)[0]?.[1] ?? '',
    /cpu is limited to 1900m, 1900m is left, and it needs 2$/,
  );
});

test('quotas with scopes, and what is no quantity, are left to the server', () => {
  const scoped = quota({ pods: '0' }, {}, { scopes: ['BestEffort'] });
  assert.deepEqual(problems([scoped, quota({ pods: 'many' })], made('pods', 'a')), []);
});

for (const [text, billionths] of [
  ['1', 1_000_000_000n],
  ['1.5', 1_500_000_000n],
  ['.5', 500_000_000n],
  ['100m', 100_000_000n],
  ['1k', 1_000_000_000_000n],
  ['2e3', 2_000_000_000_000n],
  ['1E', 10n ** 27n],
  ['1Ki', 1_024_000_000_000n],
  ['1.5Gi', 1_610_612_736_000_000_000n],
  ['-1', -1_000_000_000n],
  ['1n', 1n],
  ['0.1n', 1n],
  ['', undefined],
  ['1 Gi', undefined],
  ['Gi', undefined],
  ['1KiB', undefined],
] as const) {
  test(`the quantity "${text}" is ${billionths} billionths`, () => assert.equal(parseQuantity(text), billionths));
}

test('a quantity is said as it can be read again', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 24n), (amount) => {
      assert.equal(parseQuantity(renderQuantity(amount)), amount);
    }),
  );
});
