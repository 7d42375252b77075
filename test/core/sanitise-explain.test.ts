import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRules } from '../../controller/core/sanitise.ts';
import { explainObject, explainRules } from '../../controller/core/sanitise-explain.ts';
import { builtIn, deployment, object, wrote } from './builders.ts';

test('the rules of a resource are listed with pointer, verdict, reason and condition in words', () => {
  const rows = explainRules('services', builtIn);
  const headless = rows.find((row) => row.id === 'service-headless');
  assert.deepEqual(headless, {
    pointer: '/spec/clusterIP',
    verdict: 'keep',
    reason: 'None makes the Service headless',
    id: 'service-headless',
    when: 'the value is None',
    secret: false,
    source: 'built-in',
    since: undefined,
  });
  assert.equal(rows.find((row) => row.id === 'service-node-port')?.when, 'not (somebody asked for this value)');
  assert.ok(!rows.some((row) => row.id === 'claim-volume-mode'));
});

test('every rule can be told in words', () => {
  for (const resource of [
    'pods',
    'secrets',
    'configmaps',
    'templates.template.openshift.io',
    'clusterroles.rbac.authorization.k8s.io',
  ]) {
    for (const row of explainRules(resource, builtIn)) assert.ok(row.when === undefined || row.when.length > 3, row.id);
  }
});

test('a user’s rule is told from a built-in one', () => {
  const rules = compileRules([{ id: 'status', resources: ['*'], pointer: '/status', verdict: 'keep', reason: 'Mine' }]);
  const rows = explainRules('configmaps', rules).filter((row) => row.pointer === '/status');
  assert.deepEqual(
    rows.map(({ source, verdict }) => [source, verdict]),
    [['user', 'keep']],
  );
});

test('what the rules do to a live object is told place by place, and the object stays as it is', () => {
  const managedFields = [
    wrote('kube-controller-manager', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' }),
  ];
  const value = deployment({ metadata: { managedFields } });
  const before = JSON.stringify(value);
  const { matches, patch, sanitised, leftOut } = explainObject(value, 'deployments.apps', builtIn, {
    includeOwned: false,
  });
  assert.equal(JSON.stringify(value), before);
  assert.equal(leftOut, undefined);
  const replicas = matches.filter((row) => row.at === '/spec/replicas');
  assert.deepEqual(
    replicas.map((row) => [row.id, row.value, row.decides]),
    [
      ['replicas-scaled', '2', true],
      ['replicas', '2', false],
    ],
  );
  const removed = patch.filter(({ op }) => op === 'remove').map(({ path }) => path);
  assert.ok(removed.includes('/status') && removed.includes('/metadata/managedFields'));
  assert.deepEqual(sanitised?.held, ['/spec/replicas']);
});

test('an object that is left out is told by which rule', () => {
  const { leftOut, sanitised } = explainObject(
    object('v1', 'ConfigMap', { metadata: { name: 'kube-root-ca.crt' } }),
    'configmaps',
    builtIn,
    { includeOwned: false },
  );
  assert.equal(leftOut?.rule, 'root-ca-maps');
  assert.equal(sanitised, undefined);
});

test('no secret value is in what is told of an object', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"p":"hunter2"}}' };
  const secret = object('v1', 'Secret', { metadata: { annotations }, data: { p: 'hunter2' } });
  const route = object('route.openshift.io/v1', 'Route', { spec: { tls: { key: 'hunter2' } } });
  for (const [resource, value] of [
    ['secrets', secret],
    ['routes.route.openshift.io', route],
  ] as const) {
    const { matches, patch } = explainObject(value, resource, builtIn, { includeOwned: false });
    assert.ok(!JSON.stringify([matches, patch]).includes('hunter2'), resource);
    assert.ok(
      matches.some((row) => row.secret),
      resource,
    );
  }
});

test('a list that moves up does not carry a secret into the patch', () => {
  const rules = compileRules([
    {
      id: 'a',
      resources: ['*'],
      pointer: '/spec/list/*',
      verdict: 'strip',
      reason: 'x',
      when: { parts: { '/drop': ['true'] } },
    },
    { id: 'b', resources: ['*'], pointer: '/spec/list/*/key', verdict: 'keep', reason: 'x', secret: true },
  ]);
  const value = object('example.com/v1', 'Widget', { spec: { list: [{ drop: true }, { key: 'hunter2' }] } });
  const { patch } = explainObject(value, 'widgets.example.com', rules, { includeOwned: false });
  assert.ok(patch.length > 0 && !JSON.stringify(patch).includes('hunter2'));
});
