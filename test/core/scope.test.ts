import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../../controller/core/object.ts';
import { compileScope } from '../../controller/core/scope.ts';

const everything = { namespaces: [], excludeNamespaces: [], resources: [], excludeResources: [] };
const deployments: Resource = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
  verbs: ['list', 'watch'],
  shortNames: ['deploy'],
  singular: 'deployment',
};
const widgets: Resource = {
  ...deployments,
  group: 'shop.example',
  plural: 'widgets',
  kind: 'Widget',
  shortNames: [],
  singular: 'widget',
};

test('without words everything is covered', () => {
  const scope = compileScope(everything);
  assert.ok(
    scope.includesRepository('shop') && scope.includesRepository('_cluster') && scope.includesResource(widgets),
  );
});

test('namespaces are globs, and the exclusion wins', () => {
  const scope = compileScope({ ...everything, namespaces: ['shop-*'], excludeNamespaces: ['shop-test'] });
  assert.ok(scope.includesRepository('shop-web'));
  assert.ok(
    !scope.includesRepository('shop-test') &&
      !scope.includesRepository('_cluster') &&
      !scope.includesRepository('xshop-web'),
  );
});

test('resources are spelled as with kubectl: full, plural, singular, short, or a glob', () => {
  for (const spelling of ['deployments.apps', 'deployments', 'deployment', 'deploy', 'Deployments', '*.apps']) {
    const scope = compileScope({ ...everything, resources: [spelling] });
    assert.ok(scope.includesResource(deployments), spelling);
    assert.ok(!scope.includesResource(widgets), spelling);
  }
});

test('an asked-for resource that nothing served fits is named', () => {
  const scope = compileScope({ ...everything, resources: ['deployments', 'gadgets.shop.example'] });
  assert.deepEqual(scope.unmatched([deployments, widgets]), ['gadgets.shop.example']);
});

test('a few namespaces given by name can be read one by one', () => {
  assert.deepEqual(
    compileScope({ ...everything, namespaces: ['a', 'b'], excludeNamespaces: ['b'] }).literalNamespaces,
    ['a'],
  );
  assert.equal(compileScope({ ...everything, namespaces: ['a*'] }).literalNamespaces, undefined);
  assert.equal(compileScope({ ...everything, namespaces: ['a', '_cluster'] }).literalNamespaces, undefined);
});
