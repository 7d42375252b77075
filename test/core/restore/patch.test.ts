import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../controller/core/json.ts';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { setAt } from '../../../controller/core/pointer.ts';
import { patchOf } from '../../../controller/core/restore/patch.ts';
import type { PatchOperation } from '../../../controller/core/restore/ports.ts';
import { isLeftOut, sanitise } from '../../../controller/core/sanitise.ts';
import { copy } from '../../../controller/core/sanitise-held.ts';
import { builtIn, deployment, object } from '../builders.ts';
import { applyPatch } from './apply-patch.ts';

/** The operations behind the guard, when the sanitised live object is changed in this way. */
function operations(
  raw: KubeObject,
  resource: string,
  change: (target: KubeObject) => void,
  ignored: readonly string[] = [],
): readonly PatchOperation[] {
  const sanitised = sanitise(copy(raw), resource, builtIn, { includeOwned: true });
  assert.ok(!isLeftOut(sanitised));
  const live = sanitised.object;
  const target = copy(live);
  change(target);
  const [guard, ...rest] = patchOf(raw, live, target, ignored);
  if (guard === undefined) return [];
  assert.deepEqual(guard, { op: 'test', path: '/metadata/resourceVersion', value: '4711' });
  applyPatch(raw, rest);
  return rest;
}

const containers = (...names: string[]) => names.map((name) => ({ name, image: `${name}:1` }));
const withContainers = (...names: string[]) =>
  deployment({
    spec: { template: { metadata: { creationTimestamp: null }, spec: { containers: containers(...names) } } },
  });
const at = (target: KubeObject) => ((target['spec'] as JsonObject)['template'] as JsonObject)['spec'] as JsonObject;

test('nothing that differs is no patch at all', () => {
  assert.deepEqual(
    operations(deployment(), 'deployments.apps', () => undefined),
    [],
  );
});

test('one field that differs is one operation', () => {
  assert.deepEqual(
    operations(deployment(), 'deployments.apps', (target) => setAt(target, '/spec/replicas', 5)),
    [{ op: 'replace', path: '/spec/replicas', value: 5 }],
  );
});

test('a container more in front, another image and one less are three operations', () => {
  const found = operations(withContainers('web', 'side', 'old'), 'deployments.apps', (target) => {
    at(target)['containers'] = [
      { name: 'new', image: 'new:1' },
      { name: 'web', image: 'web:2' },
      ...containers('side'),
    ];
  });
  assert.deepEqual(found, [
    { op: 'remove', path: '/spec/template/spec/containers/2' },
    { op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'new', image: 'new:1' } },
    { op: 'replace', path: '/spec/template/spec/containers/1/image', value: 'web:2' },
  ]);
});

test('elements in another order are the list anew', () => {
  const found = operations(withContainers('web', 'side'), 'deployments.apps', (target) => {
    at(target)['containers'] = containers('side', 'web');
  });
  assert.deepEqual(found, [
    { op: 'replace', path: '/spec/template/spec/containers', value: containers('side', 'web') },
  ]);
});

test('elements without names that come or go in the middle are added or removed there', () => {
  const widget = (...list: string[]) => object('example.com/v1', 'Widget', { spec: { list } });
  const found = (from: string[], to: string[]) =>
    operations(widget(...from), 'widgets.example.com', (target) => setAt(target, '/spec/list', to));
  assert.deepEqual(found(['a', 'b', 'c'], ['a', 'c']), [{ op: 'remove', path: '/spec/list/1' }]);
  assert.deepEqual(found(['a', 'c'], ['a', 'x', 'y', 'c']), [
    { op: 'add', path: '/spec/list/1', value: 'x' },
    { op: 'add', path: '/spec/list/2', value: 'y' },
  ]);
  assert.deepEqual(found(['a', 'b'], ['a', 'x']), [{ op: 'replace', path: '/spec/list/1', value: 'x' }]);
});

test("labels and annotations of the manifest go, and the server's stay", () => {
  const raw = deployment({
    metadata: { annotations: { 'deployment.kubernetes.io/revision': '7', own: 'x' }, labels: { a: 'b' } },
  });
  const found = operations(raw, 'deployments.apps', (target) => {
    delete target.metadata['annotations'];
    delete target.metadata['labels'];
  });
  assert.deepEqual(found, [
    { op: 'remove', path: '/metadata/labels' },
    { op: 'remove', path: '/metadata/annotations/own' },
  ]);
});

test('annotations are added to those that sanitising had taken out', () => {
  const found = operations(deployment(), 'deployments.apps', (target) =>
    setAt(target, '/metadata/annotations', { own: 'x' }),
  );
  assert.deepEqual(found, [{ op: 'add', path: '/metadata/annotations/own', value: 'x' }]);
});

test('a generated token stays beside the secrets of an account, wherever the list is sorted', () => {
  const raw = object('v1', 'ServiceAccount', { secrets: [{ name: 'web-token-abcde' }, { name: 'b' }, { name: 'a' }] });
  const found = operations(raw, 'serviceaccounts', (target) => {
    target['secrets'] = [{ name: 'a' }, { name: 'c' }];
  });
  assert.deepEqual(applyPatch(raw, found)['secrets'], [{ name: 'web-token-abcde' }, { name: 'a' }, { name: 'c' }]);
  const none = operations(raw, 'serviceaccounts', (target) => {
    delete target['secrets'];
  });
  assert.deepEqual(applyPatch(raw, none)['secrets'], [{ name: 'web-token-abcde' }]);
});

test('tolerations that admission added stay where they are', () => {
  const added = {
    key: 'node.kubernetes.io/not-ready',
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  };
  const raw = object('v1', 'Pod', {
    spec: { containers: containers('web'), tolerations: [{ operator: 'Exists' }, added] },
  });
  const found = operations(raw, 'pods', (target) =>
    setAt(target, '/spec/tolerations', [{ operator: 'Exists' }, { key: 'gpu' }]),
  );
  assert.deepEqual(found, [{ op: 'add', path: '/spec/tolerations/2', value: { key: 'gpu' } }]);
});

test('what is held, or given out by the target, is left out of the difference, also deep inside what goes', () => {
  const set = (target: KubeObject) => {
    setAt(target, '/spec/replicas', 9);
    setAt(target, '/spec/paused', true);
  };
  assert.deepEqual(operations(deployment(), 'deployments.apps', set, ['/spec/replicas']), [
    { op: 'add', path: '/spec/paused', value: true },
  ]);
  const widget = object('example.com/v1', 'Widget', { spec: { a: { b: 1, c: 2 }, d: 3 } });
  const without = (target: KubeObject) => {
    target['spec'] = { d: 3 };
  };
  assert.deepEqual(operations(widget, 'widgets.example.com', without, ['/spec/a/b']), [
    { op: 'remove', path: '/spec/a/c' },
  ]);
});

test('an element that is held stays in a list that loses it', () => {
  const raw = object('example.com/v1', 'Widget', { spec: { list: ['own', 'enforced'] } });
  const change = (target: KubeObject) => setAt(target, '/spec/list', ['own', 'new']);
  const found = operations(raw, 'widgets.example.com', change, ['/spec/list/1']);
  assert.deepEqual(applyPatch(raw, found)['spec'], { list: ['own', 'enforced', 'new'] });
});

test('numbers go out as they are spelled', () => {
  const raw = object('example.com/v1', 'Widget', {
    spec: { big: parseJson('9007199254740993'), same: parseJson('1.0') },
  });
  const found = operations(raw, 'widgets.example.com', (target) =>
    setAt(target, '/spec/big', parseJson('9007199254740995')),
  );
  assert.equal(JSON.stringify(found), '[{"op":"replace","path":"/spec/big","value":9007199254740995}]');
});

test('the version and the kind are never patched', () => {
  const found = operations(deployment(), 'deployments.apps', (target) => {
    target.apiVersion = 'apps/v2';
  });
  assert.deepEqual(found, []);
});

test('more operations than a server takes become whole fields', () => {
  const data = (value: string) =>
    Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`k${index}`, value]));
  const raw = object('v1', 'ConfigMap', { data: data('a') });
  const found = operations(raw, 'configmaps', (target) => {
    target['data'] = data('b');
  });
  assert.equal(found.length, 1);
  assert.deepEqual(found, [{ op: 'add', path: '/data', value: data('b') }]);
});
