import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, file, git, paths, startArchiver, subjects, temporaryDirectory } from './keeper.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
  await cluster.kubectl(['create', 'namespace', 'shop']);
});
after(() => cluster[Symbol.asyncDispose]());

function definition(plural: string, kind: string, group = 'shop.example') {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

async function define(plural: string, kind: string, group?: string): Promise<void> {
  await cluster.apply(definition(plural, kind, group));
  const name = definition(plural, kind, group).metadata.name;
  await cluster.kubectl(['wait', '--for=condition=Established', `crd/${name}`, '--timeout=20s']);
}

/** Sent as text, so that no number is touched on the way. */
async function create(plural: string, kind: string, name: string, spec: string, group = 'shop.example'): Promise<void> {
  const body = `{"apiVersion":"${group}/v1","kind":"${kind}","metadata":{"name":"${name}","namespace":"shop"},"spec":${spec}}`;
  const answer = await cluster.request('POST', `/apis/${group}/v1/namespaces/shop/${plural}?fieldManager=test`, body);
  assert.equal(answer.status, 201, answer.text);
}

test('objects of a new definition are archived within ten seconds of its being established', async () => {
  await using directory = await temporaryDirectory();
  const archiver = startArchiver(cluster.kubeconfig, directory.path);
  await using _running = archiver;
  await archiver.waitFor('the first archive', (line) => line.event === 'committed' && line['repository'] === 'shop');
  await define('widgets', 'Widget');
  const established = Date.now();
  await create('widgets', 'Widget', 'blue', '{"size":1}');
  await archiver.waitFor(
    'the widget',
    (line) => line.event === 'committed' && String(line['subject']).includes('widgets.shop.example/blue'),
  );
  assert.ok(Date.now() - established < 10_000, `took ${Date.now() - established} ms`);
  assert.match(await file(directory.path, 'shop', 'widgets.shop.example/blue.json'), /"size": 1/);
});

test('numbers, unknown keys and plurals of two groups come out as the server has them', async () => {
  await using directory = await temporaryDirectory();
  await define('gadgets', 'Gadget');
  await define('gadgets', 'Gadget', 'other.example');
  const spec =
    '{"large":9223372036854775807,"small":-9223372036854775808,"odd":9007199254740993,"half":0.5,"exp":1e3,"one":1.0,' +
    '"tiny":1e-9,"nested":{"__proto__":{"a":1},"empty":{},"list":[{},[]],"false":false,"blank":""}}';
  await create('gadgets', 'Gadget', 'exact', spec);
  await create('gadgets', 'Gadget', 'exact', '{"other":true}', 'other.example');
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  const text = await file(directory.path, 'shop', 'gadgets.shop.example/exact.json');
  const { text: served } = await cluster.request('GET', '/apis/shop.example/v1/namespaces/shop/gadgets/exact');
  const numbers = /"(large|small|odd|half|exp|one|tiny)": ?([^,}\s]+)/g;
  const pairs = (json: string) => [...json.matchAll(numbers)].map((match) => `${match[1]}=${match[2]}`).sort();
  assert.equal(pairs(text).length, 7);
  assert.deepEqual(pairs(text), pairs(served));
  assert.ok(pairs(text).includes('large=9223372036854775807'));
  assert.match(text, /"__proto__": \{\n\s+"a": 1\n\s+\}/);
  assert.match(text, /"empty": \{\}/);
  assert.match(text, /"list": \[\n\s+\{\},\n\s+\[\]\n\s+\]/);
  assert.match(await file(directory.path, 'shop', 'gadgets.other.example/exact.json'), /"other": true/);
});

test('a deleted definition is said aloud, never as a thousand deletions', async () => {
  await using directory = await temporaryDirectory();
  await define('things', 'Thing');
  await Promise.all(Array.from({ length: 1000 }, (_, index) => create('things', 'Thing', `t-${index}`, '{}')));
  const archiver = startArchiver(cluster.kubeconfig, directory.path, '--window', '2s', '--max-window', '30s');
  await using _running = archiver;
  await archiver.waitFor('the first lists', (line) => line.event === 'synced');
  await archiver.waitFor('the first archive', (line) => line.event === 'committed' && line['repository'] === 'shop');
  const from = archiver.lines.length;
  await cluster.kubectl(['delete', 'crd', 'things.shop.example', '--timeout=60s']);
  const committed = (line: { event: string; repository?: unknown }) =>
    line.event === 'committed' && line.repository === 'shop';
  await archiver.waitFor('the deletions', committed, { from, timeoutMs: 60_000 });
  await archiver.stop();
  const left = (await paths(directory.path, 'shop')).filter((path) => path.startsWith('things.'));
  assert.deepEqual(left, []);
  const told = (await subjects(directory.path, 'shop')).filter((subject) => !subject.startsWith('first archive'));
  assert.ok(told.length > 0);
  for (const subject of told) assert.match(subject, /^CustomResourceDefinition things\.shop\.example deleted/);
  await git(directory.path, 'shop', 'fsck', '--strict', '--full');
});

test('a definition deleted while nobody watched is said aloud too', async () => {
  await using directory = await temporaryDirectory();
  await define('items', 'Item');
  for (let index = 0; index < 60; index++) await create('items', 'Item', `i-${index}`, '{}');
  await archiveOnce(cluster.kubeconfig, directory.path);
  await cluster.kubectl(['delete', 'crd', 'items.shop.example', '--timeout=60s']);
  const { code, report } = await archiveOnce(cluster.kubeconfig, directory.path);
  assert.equal(code, 0);
  assert.deepEqual(report.held, []);
  const [subject] = await subjects(directory.path, 'shop');
  assert.equal(subject, 'CustomResourceDefinition items.shop.example deleted: 60 objects went with it');
});
