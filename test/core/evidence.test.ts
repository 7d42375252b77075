import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorsOf, isPersonManager, lastWriter } from '../../controller/core/evidence.ts';
import { writersOf } from '../../controller/core/evidence-fields.ts';
import { wrote } from './builders.ts';

const containers = {
  spec: {
    template: {
      spec: {
        containers: [
          { name: 'web', image: 'web:2' },
          { name: 'log', image: 'log:1' },
        ],
      },
    },
  },
  data: { a: '1' },
};
const image = (name: string) => ({
  'f:spec': {
    'f:template': { 'f:spec': { 'f:containers': { [`k:{"name":"${name}"}`]: { '.': {}, 'f:image': {} } } } },
  },
});
const fields = [
  wrote('helm', image('web'), { time: '2026-01-01T10:00:00Z' }),
  wrote('vpa-updater', image('log'), { time: '2026-01-01T11:00:00Z' }),
  wrote(
    'kube-controller-manager',
    { 'f:status': { 'f:replicas': {} } },
    { subresource: 'status', time: '2026-01-01T12:00:00Z' },
  ),
];

test('the writer of one container is told from that of another', () => {
  const web = ['spec', 'template', 'spec', 'containers', '0', 'image'];
  assert.deepEqual(
    writersOf(fields, containers, web).map((writer) => writer.manager),
    ['helm'],
  );
  const log = ['spec', 'template', 'spec', 'containers', '1', 'image'];
  assert.deepEqual(
    writersOf(fields, containers, log).map((writer) => writer.manager),
    ['vpa-updater'],
  );
});

test('changed fields name their actor, also with list elements by name', () => {
  assert.deepEqual(actorsOf(fields, containers, ['/spec/template/spec/containers/[web]/image']), ['helm']);
  assert.deepEqual(
    actorsOf(fields, containers, [
      '/spec/template/spec/containers/[web]/image',
      '/spec/template/spec/containers/[log]/image',
    ]),
    ['vpa-updater', 'helm'],
  );
});

test('ports by number and protocol, sets by value and whole lists have owners', () => {
  const object = {
    spec: { ports: [{ port: 80, protocol: 'TCP' }], list: ['a', 'b'] },
    metadata: { finalizers: ['x/y'] },
  };
  const managed = [
    wrote('one', { 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { 'f:nodePort': {} } } } }),
    wrote('two', { 'f:metadata': { 'f:finalizers': { 'v:"x/y"': {} } } }),
    wrote('three', { 'f:spec': { 'f:list': {} } }),
  ];
  const who = (...path: string[]) => writersOf(managed, object, path).map((writer) => writer.manager);
  assert.deepEqual(who('spec', 'ports', '0', 'nodePort'), ['one']);
  assert.deepEqual(who('spec', 'ports', '0', 'targetPort'), []);
  assert.deepEqual(who('metadata', 'finalizers', '0'), ['two']);
  assert.deepEqual(who('spec', 'list', '1'), ['three']);
});

test('the newest of several writers counts, and a person before a program within one second', () => {
  const data = { 'f:data': { 'f:a': {} } };
  const managed = [
    wrote('old', data),
    wrote('some-operator', data, { time: '2026-02-01T00:00:00Z' }),
    wrote('kubectl-edit', data, { time: '2026-02-01T00:00:00Z' }),
  ];
  assert.deepEqual(actorsOf(managed, containers, ['/data/a']), ['kubectl-edit']);
});

test('nobody is named for a field that went, unless somebody wrote since the object was seen last', () => {
  const managed = [wrote('kubectl-edit', { 'f:data': { 'f:a': {} } }, { time: '2026-02-01T00:00:00Z' })];
  assert.deepEqual(actorsOf(managed, containers, ['/data/gone']), []);
  assert.deepEqual(actorsOf(managed, containers, ['/data/gone'], '2026-01-31T23:59:59Z'), ['kubectl-edit']);
  assert.deepEqual(actorsOf(managed, containers, ['/data/gone'], '2026-02-01T00:00:01Z'), []);
});

test('a new object was made by who asked for it, not by the controller that wrote after', () => {
  const late = { time: '2026-02-01T00:00:00Z' };
  assert.deepEqual(actorsOf([wrote('kubectl-create', {}), wrote('some-operator', {}, late)], containers, undefined), [
    'kubectl-create',
  ]);
  assert.deepEqual(
    actorsOf([wrote('some-operator', {}), wrote('kube-controller-manager', {}, late)], containers, undefined),
    ['some-operator'],
  );
});

test('status writes are nobody’s change', () => {
  assert.equal(lastWriter(fields)?.manager, 'vpa-updater');
});

test('who says that a Job has finished is who wrote its status', () => {
  const status = { conditions: [{ type: 'Complete', status: 'True' }] };
  const ended = wrote('kube-controller-manager', { 'f:status': { 'f:conditions': {} } }, { subresource: 'status' });
  assert.deepEqual(actorsOf([wrote('kubectl', { 'f:spec': {} }), ended], { status }, ['/status']), [
    'kube-controller-manager',
  ]);
});

test('tools of people are known by the names they give', () => {
  for (const name of ['kubectl-edit', 'kubectl', 'oc', 'node-fetch', 'Mozilla', 'k9s'])
    assert.ok(isPersonManager(name), name);
  for (const name of ['helm', 'kube-controller-manager', 'argocd-controller', 'manager'])
    assert.ok(!isPersonManager(name), name);
});

test('managedFields that make no sense name nobody', () => {
  const broken = [null, 1, 'x', {}, { manager: 1 }, { manager: 'a', fieldsV1: { 'f:data': { 'k:{': {} } } }];
  assert.deepEqual(actorsOf(broken, { data: [{}] }, ['/data/0/x']), []);
});
