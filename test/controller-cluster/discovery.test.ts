import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildCatalogue } from '../../controller/cluster/catalogue.ts';
import { discover, openDiscovery } from '../../controller/cluster/discovery.ts';
import type { GroupVersion } from '../../controller/cluster/discovery-groups.ts';
import { type Script, sendJson, sendStatus, startScriptedServer } from './scripted-server.ts';

test('a resource is taken in the preferred version, in the pinned one as long as that is served', () => {
  const groups = ['v2', 'v1', 'v1beta1'].map((version) => groupVersion('apps', version, 'deployments'));
  const name = 'deployments.apps';
  assert.equal(buildCatalogue(groups).resources[0]?.version, 'v2');
  assert.deepEqual(buildCatalogue(groups).served.get(name), ['v2', 'v1', 'v1beta1']);
  assert.equal(buildCatalogue(groups, new Map([[name, 'v1']])).resources[0]?.version, 'v1');
  assert.equal(buildCatalogue(groups, new Map([[name, 'v0']])).resources[0]?.version, 'v2');
});

test('autoscalers are taken in v2, whatever the server prefers', () => {
  const groups = ['v1', 'v2'].map((version) => groupVersion('autoscaling', version, 'horizontalpodautoscalers'));
  const catalogue = buildCatalogue(groups);
  assert.equal(catalogue.resources[0]?.version, 'v2');
  assert.deepEqual(catalogue.served.get('horizontalpodautoscalers.autoscaling'), ['v2', 'v1']);
});

test('a resource whose pinned version does not answer is not taken in another one', () => {
  const groups = [groupVersion('x.io', 'v2', 'things'), { ...groupVersion('x.io', 'v1'), unavailable: 'down' }];
  const catalogue = buildCatalogue(groups, new Map([['things.x.io', 'v1']]));
  assert.deepEqual(catalogue.resources, []);
  assert.deepEqual(catalogue.unavailable, [{ group: 'x.io', version: 'v1', reason: 'down' }]);
});

test('an older server is asked for each group, and one that fails is unavailable', async () => {
  await using server = await startScriptedServer(OLD_SERVER);
  const catalogue = await discover(server.connection);
  assert.deepEqual(
    catalogue.resources.map(({ plural, version, namespaced }) => [plural, version, namespaced]),
    [
      ['pods', 'v1', true],
      ['deployments', 'v1', true],
    ],
  );
  assert.deepEqual(catalogue.served.get('deployments.apps'), ['v1', 'v1beta1']);
  assert.equal(catalogue.unavailable[0]?.group, 'metrics.k8s.io');
});

test('what did not change is not sent again', async () => {
  await using server = await startScriptedServer((asked, response) => {
    if (asked.headers['if-none-match'] === '"1"') return void response.writeHead(304).end();
    sendJson(response, { kind: 'APIGroupDiscoveryList', items: [] }, 200, { etag: '"1"' });
  });
  const discovery = openDiscovery(server.connection);
  assert.deepEqual(await discovery.read(), await discovery.read());
  assert.equal(server.requests.filter((asked) => asked.headers['if-none-match'] === '"1"').length, 2);
});

test('a server that does not answer at all is an error', async () => {
  await using server = await startScriptedServer((_asked, response) => sendStatus(response, 503, 'ServiceUnavailable'));
  await assert.rejects(discover(server.connection), { kind: 'transient' });
});

const OLD_SERVER: Script = ({ path }, response) => {
  const pods = { name: 'pods', namespaced: true, kind: 'Pod', verbs: ['list', 'watch'] };
  const deployments = { name: 'deployments', namespaced: true, kind: 'Deployment', verbs: ['list', 'watch'] };
  const versions = ['v1beta1', 'v1'].map((version) => ({ version, groupVersion: `apps/${version}` }));
  switch (path) {
    case '/api':
      return sendJson(response, { kind: 'APIVersions', versions: ['v1'] });
    case '/apis':
      return sendJson(response, {
        kind: 'APIGroupList',
        groups: [
          { name: 'apps', versions, preferredVersion: { version: 'v1' } },
          { name: 'metrics.k8s.io', versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } },
        ],
      });
    case '/api/v1':
      return sendJson(response, {
        resources: [pods, { ...pods, name: 'pods/log' }, { ...pods, name: 'bindings', verbs: ['create'] }],
      });
    case '/apis/apps/v1':
    case '/apis/apps/v1beta1':
      return sendJson(response, { resources: [deployments] });
    default:
      return sendStatus(response, 503, 'ServiceUnavailable');
  }
};

function groupVersion(group: string, version: string, ...plurals: readonly string[]): GroupVersion {
  const resources = plurals.map((plural) => ({ group, version, plural, kind: 'X', namespaced: true, verbs: ['list'] }));
  return { group, version, resources };
}
