import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { archived, OTHER_CLUSTER, OTHER_NAMESPACE, sent } from './prepared.ts';

const service = (spec: JsonObject): KubeObject => archived('v1', 'Service', { spec });
const addresses = { clusterIP: '10.0.0.7', clusterIPs: ['10.0.0.7'] };

test('in the same place a Service asks for its addresses and ports again, and can do without', () => {
  const object = service({
    type: 'LoadBalancer',
    ...addresses,
    ports: [{ name: 'http', port: 80, nodePort: 30080 }],
    healthCheckNodePort: 30099,
    externalIPs: ['192.0.2.1'],
  });
  const prepared = sent(object, 'services');
  assert.deepEqual(prepared.object, object);
  assert.deepEqual(prepared.fallbacks, [
    { pointers: ['/spec/clusterIP', '/spec/clusterIPs'], note: 'clusterIP is given out anew: 10.0.0.7 is taken' },
    { pointers: ['/spec/ports/0/nodePort'], note: 'nodePort of port http is given out anew: 30080 is taken' },
    { pointers: ['/spec/healthCheckNodePort'], note: 'healthCheckNodePort is given out anew: 30099 is taken' },
  ]);
});

for (const [where, target] of [
  ['another namespace', OTHER_NAMESPACE],
  ['another cluster', OTHER_CLUSTER],
] as const) {
  test(`in ${where} addresses and ports are given out anew, but for those that somebody asked for`, () => {
    const object = service({
      ...addresses,
      type: 'NodePort',
      ports: [
        { port: 80, nodePort: 30080 },
        { name: 'metrics', port: 81, nodePort: 30081 },
      ],
    });
    const prepared = sent(object, 'services', { ...target, requested: ['/spec/ports/0/nodePort'] });
    assert.deepEqual(prepared.object['spec'], {
      type: 'NodePort',
      ports: [
        { port: 80, nodePort: 30080 },
        { name: 'metrics', port: 81 },
      ],
    });
    assert.deepEqual(prepared.notes, ['clusterIP is given out anew', 'nodePort of port metrics is given out anew']);
    assert.deepEqual(prepared.fallbacks, [
      { pointers: ['/spec/ports/0/nodePort'], note: 'nodePort of port 80 is given out anew: 30080 is taken' },
    ]);
    assert.deepEqual(prepared.given, ['/spec/clusterIP', '/spec/clusterIPs', '/spec/ports/1/nodePort']);
  });

  test(`a headless Service stays headless in ${where}`, () => {
    const object = service({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] });
    const prepared = sent(object, 'services', target);
    assert.deepEqual(prepared.object['spec'], object['spec']);
    assert.deepEqual(prepared.notes, []);
  });
}

test('what a load balancer gave out is not asked for elsewhere; what a person wrote is', () => {
  const balanced = sent(service({ type: 'LoadBalancer', externalIPs: ['192.0.2.1'] }), 'services', OTHER_CLUSTER);
  assert.deepEqual(balanced.object['spec'], { type: 'LoadBalancer' });
  const plain = sent(service({ type: 'ClusterIP', externalIPs: ['192.0.2.1'] }), 'services', OTHER_CLUSTER);
  assert.deepEqual(plain.object['spec'], { type: 'ClusterIP', externalIPs: ['192.0.2.1'] });
});

test('in a cluster with other address families a Service can do without its own', () => {
  const object = service({ ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' });
  const { fallbacks, object: same } = sent(object, 'services', OTHER_CLUSTER);
  assert.deepEqual(same['spec'], object['spec']);
  assert.deepEqual(fallbacks, [
    {
      pointers: ['/spec/ipFamilies', '/spec/ipFamilyPolicy'],
      note: 'the address families are those of this cluster',
    },
  ]);
});

const ingress = archived('networking.k8s.io/v1', 'Ingress', {
  spec: {
    rules: [{ host: 'shop.example' }, { host: 'api.shop.example' }],
    tls: [{ hosts: ['shop.example'], secretName: 'tls' }],
  },
});
const resource = 'ingresses.networking.k8s.io';

test('hosts are mapped one by one, or by their domain', () => {
  const hosts = new Map([
    ['shop.example', 'test.example'],
    ['*.shop.example', '*.test.example'],
  ]);
  const prepared = sent(ingress, resource, { ...OTHER_NAMESPACE, mappings: { hosts } });
  assert.deepEqual(prepared.object['spec'], {
    rules: [{ host: 'test.example' }, { host: 'api.test.example' }],
    tls: [{ hosts: ['test.example'], secretName: 'tls' }],
  });
  assert.deepEqual(prepared.notes, [
    'host test.example instead of shop.example',
    'host api.test.example instead of api.shop.example',
  ]);
});

test('cleared hosts answer to nobody: an Ingress without a host would answer to everybody', () => {
  const { object } = sent(ingress, resource, { ...OTHER_NAMESPACE, mappings: { hosts: 'clear' } });
  assert.deepEqual(object['spec'], {
    rules: [{ host: 'shop.example.invalid' }, { host: 'api.shop.example.invalid' }],
    tls: [{ hosts: ['shop.example.invalid'], secretName: 'tls' }],
  });
});

test('a host that is kept in another namespace is said', () => {
  assert.deepEqual(sent(ingress, resource).notes, []);
  assert.deepEqual(sent(ingress, resource, OTHER_NAMESPACE).notes, [
    'keeps host shop.example, which another namespace may answer for',
    'keeps host api.shop.example, which another namespace may answer for',
  ]);
});

test('hosts of gateways and their routes are mapped, too', () => {
  const route = archived('gateway.networking.k8s.io/v1', 'HTTPRoute', {
    spec: {
      hostnames: ['shop.example'],
      parentRefs: [
        { name: 'gate', namespace: 'shop' },
        { name: 'g', namespace: 'edge' },
      ],
    },
  });
  const { object, notes } = sent(route, 'httproutes.gateway.networking.k8s.io', {
    ...OTHER_NAMESPACE,
    mappings: { hosts: new Map([['shop.example', 't.example']]) },
  });
  assert.deepEqual(object['spec'], {
    hostnames: ['t.example'],
    parentRefs: [
      { name: 'gate', namespace: 'drill' },
      { name: 'g', namespace: 'edge' },
    ],
  });
  assert.deepEqual(notes, ['host t.example instead of shop.example', 'names namespace drill instead of shop']);
});
