import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference } from '../../controller/core/diff.ts';
import { type ObjectChange, renderMessage } from '../../controller/core/message.ts';
import type { Json } from '../../controller/core/object.ts';
import { describe as tell } from '../../controller/core/words.ts';

const occasion = { clusterId: 'c1' };

function changed(before: Json, after: Json, more: Partial<ObjectChange> = {}): ObjectChange {
  const ref = { resource: 'deployments.apps', namespace: 'shop', name: 'web' };
  return { ref, what: 'changed', fields: difference(before, after).map(tell), actors: ['kubectl-edit'], ...more };
}

function subject(changes: readonly ObjectChange[]): string {
  return renderMessage(changes, occasion).split('\n')[0] ?? '';
}

const container = (image: string, name = 'web') => ({ name, image });
const workload = (...containers: Json[]) => ({ spec: { template: { spec: { containers } } } });

test('one changed image is told by its tags', () => {
  const change = changed(workload(container('shop/web:1.4')), workload(container('shop/web:1.5')));
  assert.equal(
    renderMessage([{ ...change, resourceVersion: '12' }], occasion),
    `deployments.apps/web: image 1.4 -> 1.5

changed deployments.apps/web: spec.template.spec.containers[web].image shop/web:1.4 -> shop/web:1.5

Archived-From: cluster c1
Resource-Version: 12
Actor: kubectl-edit (manager)
`,
  );
});

test('an image with a registry port, another name or a digest is told whole or by what differs', () => {
  const images = (before: string, after: string) =>
    subject([changed(workload(container(before)), workload(container(after)))]);
  assert.match(images('r:5000/web:1', 'r:5000/web:2'), /image 1 -> 2$/);
  assert.match(images('web:1', 'other:1'), /image web:1 -> other:1$/);
});

test('a container put in front is one addition, not a rewrite of all', () => {
  const before = workload(container('a:1', 'a'), container('b:1', 'b'));
  const after = workload(container('s:1', 'side'), container('a:1', 'a'), container('b:1', 'b'));
  assert.equal(subject([changed(before, after)]), 'deployments.apps/web: containers[side] added');
});

const met = (type: string) => ({ status: { conditions: [{ status: 'True', type }] } });
for (const [what, before, after, words] of [
  ['a Job that completes', {}, met('Complete'), 'finished'],
  ['a Job that fails', {}, met('Failed'), 'failed'],
  ['a pod that succeeds', {}, { status: { phase: 'Succeeded' } }, 'finished'],
  ['a pod that fails', {}, { status: { phase: 'Failed' } }, 'failed'],
  ['a Job that is made again', met('Complete'), {}, 'has not finished'],
  [
    'a status that somebody keeps',
    { status: { phase: 'New' } },
    { status: { phase: 'Failed' } },
    'phase New -> Failed',
  ],
  ['another status that somebody keeps', {}, { status: { phase: 'New' } }, 'status added'],
  [
    'a condition that is not met',
    {},
    { status: { conditions: [{ type: 'Failed', status: 'False' }] } },
    'status added',
  ],
  ['a phase that is no status', {}, { spec: { phase: 'Failed' } }, 'spec added'],
] as const) {
  test(`${what} is told as "${words}"`, () => {
    const change = changed(structuredClone(before) as Json, structuredClone(after) as Json);
    assert.equal(subject([change]), `deployments.apps/web: ${words}`);
  });
}

test('what a person may not read is never told by value', () => {
  const before = { data: { password: 'kubekeeper:hmac-sha256:aaaa', cert: 'ENC[AES256_GCM,data:x]' } };
  const after = { data: { password: 'kubekeeper:hmac-sha256:bbbb', cert: 'ENC[AES256_GCM,data:y]' } };
  const message = renderMessage([changed(before, after)], occasion);
  assert.match(message, /data\.password changed/);
  assert.doesNotMatch(message, /aaaa|bbbb|ENC/);
});

test('values cannot forge a line, a trailer or a colour', () => {
  const change = changed(
    { data: { a: 'x' } },
    { data: { a: 'y\nActor: root (audit)' } },
    { actors: ['evil\nActor: x'] },
  );
  const hostile = {
    ...change,
    ref: { resource: 'clusterroles.rbac.authorization.k8s.io', name: 'a\nRecreated: b\u001b[31m' },
  };
  const message = renderMessage([hostile], occasion);
  assert.doesNotMatch(message, /^Recreated|^Actor: root|^Actor: x/m);
  assert.ok(!message.includes('\u001b'));
});

test('several objects are counted and named, each on a line of its own', () => {
  const one = changed({ spec: { replicas: 2 } }, { spec: { replicas: 3 } });
  const other: ObjectChange = {
    ref: { resource: 'configmaps', namespace: 'shop', name: 'app' },
    what: 'deleted',
    fields: [],
    actors: [],
  };
  const message = renderMessage([other, one], occasion);
  assert.match(message, /^2 objects: configmaps\/app deleted, deployments\.apps\/web changed\n/);
  assert.match(message, /^changed deployments\.apps\/web: spec\.replicas 2 -> 3$/m);
  assert.match(message, /^Actor: unknown$/m);
});

test('a thousand deletions with one cause say the cause', () => {
  const gone = Array.from(
    { length: 1000 },
    (_, index): ObjectChange => ({
      ref: { resource: 'widgets.shop.example', namespace: 'shop', name: `w${index}` },
      what: 'deleted',
      fields: [],
      actors: [],
      cause: 'CustomResourceDefinition widgets.shop.example deleted',
    }),
  );
  assert.equal(subject(gone), 'CustomResourceDefinition widgets.shop.example deleted: 1000 objects went with it');
  assert.ok(renderMessage(gone, occasion).split('\n').length < 250);
});

test('a subject is never longer than a hundred characters', () => {
  const many = Array.from({ length: 30 }, (_, index) => ({
    ...changed({ a: 1 }, { a: 2 }),
    ref: { resource: 'configmaps', namespace: 'shop', name: `a-rather-long-name-${index}` },
  }));
  assert.ok(subject(many).length <= 100);
});

test('exact numbers and "__proto__" are told as they are', () => {
  const before = JSON.parse('{"__proto__":1}') as Json;
  const after = { a: JSON.rawJSON('9223372036854775807') } as unknown as Json;
  const message = renderMessage([changed(before, after)], occasion);
  assert.match(message, /a added: 9223372036854775807/);
  assert.match(message, /__proto__ removed/);
});
