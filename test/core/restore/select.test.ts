import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVERYTHING, type Selection } from '../../../controller/core/restore/plan.ts';
import { compileSelection } from '../../../controller/core/restore/select.ts';
import { KeeperError } from '../../../controller/errors.ts';

const objects = [
  ['deployments.apps', 'Deployment', 'web'],
  ['deployments.apps', 'Deployment', 'web-api'],
  ['configmaps', 'ConfigMap', 'web'],
  ['services', 'Service', 'web'],
  ['services.serving.knative.dev', 'Service', 'web'],
  ['ingresses.networking.k8s.io', 'Ingress', 'web'],
  ['networkpolicies.networking.k8s.io', 'NetworkPolicy', 'deny'],
  ['widgets.example.com', 'Widget', 'w'],
].map(([resource = '', kind = '', name = '']) => ({ resource, kind, name, labels: { app: name, tier: 'front' } }));
const present = objects.map(({ resource, kind }) => ({ resource, kind }));

function selected(selection: Partial<Selection>, known?: typeof present): readonly string[] {
  const { includes } = compileSelection({ ...EVERYTHING, ...selection }, known);
  return objects.filter(includes).map(({ resource, name }) => `${resource}/${name}`);
}

function refusal(selection: Partial<Selection>, known?: typeof present): string {
  try {
    compileSelection({ ...EVERYTHING, ...selection }, known);
  } catch (error) {
    assert.ok(error instanceof KeeperError && error.code === 'USAGE_INVALID');
    return error.message;
  }
  return 'none';
}

test('without a word everything is selected', () => assert.equal(selected({}).length, objects.length));

for (const word of [
  'deployments.apps',
  'deployments',
  'deployment',
  'deploy',
  'Deployment',
  'deployment.apps',
  'deploy.apps',
  'deploy*',
]) {
  test(`"${word}" is deployments, as with kubectl`, () => {
    assert.deepEqual(selected({ kinds: [word] }), ['deployments.apps/web', 'deployments.apps/web-api']);
    assert.deepEqual(selected({ objects: [`${word}/web`] }, present), ['deployments.apps/web']);
  });
}

for (const [word, expected] of [
  ['svc', ['services/web']],
  ['services', ['services/web', 'services.serving.knative.dev/web']],
  ['Service', ['services/web', 'services.serving.knative.dev/web']],
  ['*.knative.dev', ['services.serving.knative.dev/web']],
  ['netpol', ['networkpolicies.networking.k8s.io/deny']],
  ['ing', ['ingresses.networking.k8s.io/web']],
  ['widget', ['widgets.example.com/w']],
  ['widget.example.com', ['widgets.example.com/w']],
  ['cm', ['configmaps/web']],
  ['secrets', []],
] as const) {
  test(`"${word}" selects ${expected.length === 0 ? 'nothing, when there is none' : expected.join(' and ')}`, () => {
    assert.deepEqual(selected({ kinds: [word] }, present), expected);
    assert.deepEqual(selected({ kinds: [word] }), expected);
  });
}

test('objects are named by globs, several are either, and kinds narrow them down', () => {
  assert.deepEqual(selected({ objects: ['deploy/web-*', 'cm/web'] }), ['deployments.apps/web-api', 'configmaps/web']);
  assert.deepEqual(selected({ objects: ['*/web'], kinds: ['cm', 'svc'] }), ['configmaps/web', 'services/web']);
});

for (const [selector, expected] of [
  ['', 8],
  ['app=web', 5],
  ['app==web', 5],
  ['app = web', 5],
  ['app!=web', 3],
  ['missing!=web', 8],
  ['app in (web, w)', 6],
  ['app notin (web,w)', 2],
  ['missing notin (a)', 8],
  ['missing in (,a)', 0],
  ['app', 8],
  ['!app', 0],
  ['! missing', 8],
  ['missing=', 0],
  ['app=web,tier in (front,back),!legacy', 5],
  ['toString', 0],
] as const) {
  test(`the label selector "${selector}" selects ${expected} of ${objects.length}`, () => {
    assert.equal(selected({ selector }).length, expected);
  });
}

for (const selector of [
  'app in web',
  'app=a b',
  '=web',
  'app=web,',
  'app in (a',
  'app notin ((a))',
  'app in (a;b)',
  'a b=c',
]) {
  test(`the label selector "${selector}" is refused`, () => {
    assert.match(refusal({ selector }), /^Cannot read ".*" in the label selector/);
  });
}

test('a word that is nothing is refused with the nearest one that is something', () => {
  assert.equal(
    refusal({ kinds: ['deploymnets'] }, present),
    'No resource or kind is called "deploymnets"; did you mean "deployments"?',
  );
  assert.equal(
    refusal({ kinds: ['Deploymnt'] }, present),
    'No resource or kind is called "Deploymnt"; did you mean "Deployment"?',
  );
  assert.equal(
    refusal({ kinds: ['deployments.app'] }),
    'No resource or kind is called "deployments.app"; did you mean "deployments.apps"?',
  );
  assert.equal(
    refusal({ objects: ['wigdets/x'] }, present),
    'No resource or kind is called "wigdets"; did you mean "widgets"?',
  );
  assert.match(refusal({ kinds: ['a b'] }), /^No resource or kind/);
  assert.match(refusal({ kinds: [''] }), /^No resource or kind/);
});

test('what may be a custom resource is not refused when nobody knows what is there', () => {
  assert.equal(refusal({ kinds: ['gadgets', 'gadgets.example.com', 'gadget.example.com'] }), 'none');
});

for (const object of ['web', 'deploy/', '/web', '']) {
  test(`"${object}" names no object`, () =>
    assert.match(refusal({ objects: [object] }), /names no object; write RESOURCE\/NAME/));
}
