import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, connect } from '../../controller/cluster/connect.ts';
import { discover } from '../../controller/cluster/discovery.ts';
import { listWatch } from '../../controller/cluster/list-watch.ts';
import { getObject } from '../../controller/cluster/objects.ts';
import { renderJson } from '../../controller/core/json.ts';
import { type KubeObject, type Resource, resourceName } from '../../controller/core/object.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import { CONFIG_MAPS, QUICK, readUntil } from './changes.ts';
import { definition } from './definition.ts';

const cluster = await startCluster({ controllerManager: false });
const connection = await connect({ kubeconfig: cluster.kubeconfig });
after(async () => {
  await connection[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

test('streaming and paged lists of every resource give the same objects', async () => {
  const { resources, unavailable } = await discover(connection);
  assert.deepEqual(unavailable, []);
  assert.ok(resources.length >= 55);
  let objects = 0;
  for (const resource of resources.filter(({ plural }) => plural !== 'leases' && plural !== 'events')) {
    const streamed = await listOnce(connection, resource);
    const paged = await listOnce(pagesOnly(connection), resource, 3);
    assert.deepEqual(streamed, paged, resourceName(resource));
    objects += streamed.length;
  }
  assert.ok(objects > 100, `${objects}`);
});

test('every object says its kind, and one that is read alone is the same', async () => {
  const name = 'kube-root-kinds';
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { a: 'b' },
  });
  const listed = (await listOnce(pagesOnly(connection), CONFIG_MAPS)).find((object) => object.metadata.name === name);
  assert.equal(listed?.kind, 'ConfigMap');
  assert.equal(listed?.apiVersion, 'v1');
  assert.deepEqual(await getObject(connection, CONFIG_MAPS, { namespace: 'default', name }), listed);
  assert.equal(await getObject(connection, CONFIG_MAPS, { namespace: 'default', name: 'absent' }), undefined);
});

test('numbers in unknown fields arrive as the server sends them', async () => {
  const crd = definition('numbers.exact.test');
  await cluster.apply(crd.object);
  await crd.established(cluster);
  const body =
    '{"apiVersion":"exact.test/v1","kind":"Number","metadata":{"name":"n"},"spec":{"big":9223372036854775807,"next":9007199254740993,"exponent":1e3,"point":1.0,"huge":12345678901234567890,"__proto__":{"a":1}}}';
  const created = await cluster.request('POST', '/apis/exact.test/v1/namespaces/default/numbers', body);
  assert.equal(created.status, 201, created.text);
  const [object] = await listOnce(connection, crd.resource);
  const sent = /"spec":(\{.*\})\}$/s.exec(created.text.trim())?.[1] ?? assert.fail(created.text);
  assert.match(renderJson(object ?? null), /"big": 9223372036854775807,/);
  assert.match(renderJson(object ?? null), /"next": 9007199254740993,/);
  const numbers = (text: string) =>
    [...text.matchAll(/"(\w+)":\s*(-?[\d.eE+-]+)/g)].map((match) => `${match[1]}=${match[2]}`).sort();
  assert.deepEqual(numbers(renderJson(object?.['spec'] ?? null)), numbers(sent));
});

test('changes come in order, and a deletion brings the last object', async () => {
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const metadata = { name: 'app', namespace: 'shop', labels: { app: 'web' } };
  const seen: string[] = [];
  const options = { signal: AbortSignal.timeout(20_000), namespace: 'shop', labelSelector: 'app=web' };
  for await (const change of listWatch(connection, CONFIG_MAPS, options)) {
    if (change.type === 'synced') {
      await cluster.apply({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...metadata, name: 'other', labels: {} },
      });
      await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { step: '1' } });
      await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { step: '2' } });
      await cluster.request('DELETE', '/api/v1/namespaces/shop/configmaps/app');
    }
    if (change.type === 'applied' || change.type === 'deleted') {
      seen.push(`${change.type} ${change.object.metadata.name} ${JSON.stringify(change.object['data'])}`);
    }
    if (change.type === 'deleted') break;
  }
  assert.deepEqual(seen, ['applied app {"step":"1"}', 'applied app {"step":"2"}', 'deleted app {"step":"2"}']);
});

test('rights that are taken away and given back: told once, and back within seconds', async () => {
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }];
  const user = await cluster.createUser('archiver', rules);
  await using limited = await connect({ kubeconfig: user.kubeconfig });
  const limits = { watchSeconds: [1, 1] as const };
  const words = await readUntil(limited, { limits, timeoutMs: 30_000 }, (word, so) => {
    if (word.startsWith('synced') && !so.some((before) => before.startsWith('skipped'))) void user.setRules([]);
    if (word.startsWith('skipped')) setTimeout(() => void user.setRules(rules), 1000);
    return word.startsWith('synced') && so.some((before) => before.startsWith('skipped'));
  });
  assert.equal(words.filter((word) => word.startsWith('skipped')).length, 1);
  assert.ok(words.includes('skipped RESOURCE_FORBIDDEN'));
  assert.ok(!words.some((word) => word.startsWith('deleted')));
});

test('a certificate of an unknown authority and a refused token are told apart', async () => {
  const config = JSON.parse(await readFile(cluster.kubeconfig, 'utf8'));
  const kubeconfig = `${cluster.directory}/wrong.json`;
  const write = (change: (copy: typeof config) => void) => {
    const copy = structuredClone(config);
    change(copy);
    return writeFile(kubeconfig, JSON.stringify(copy));
  };
  await write((copy) => delete copy.clusters[0].cluster['certificate-authority-data']);
  await using distrusting = await connect({ kubeconfig });
  await assert.rejects(
    distrusting.request('/api'),
    /its certificate is not signed by the authority in the kubeconfig$/,
  );
  await write((copy) => {
    copy.users[0].user = { token: 'wrong' };
  });
  await using refused = await connect({ kubeconfig });
  await assert.rejects(refused.request('/api/v1/pods'), { code: 'CREDENTIALS_REFUSED' });
});

test('the proxy of a kubeconfig is what leads to the server', async () => {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const upstream = createConnection(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const side of [upstream, socket]) side.on('error', () => [upstream, socket].map((one) => one.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const config = JSON.parse(await readFile(cluster.kubeconfig, 'utf8'));
  config.clusters[0].cluster['proxy-url'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const kubeconfig = `${cluster.directory}/proxied.json`;
  await writeFile(kubeconfig, JSON.stringify(config));
  {
    await using proxied = await connect({ kubeconfig });
    assert.equal((await proxied.request('/readyz')).text, 'ok');
  }
  await new Promise((resolve) => proxy.close(resolve));
  assert.deepEqual(tunnels, [new URL(cluster.server).host]);
});

test('a restart of the API server costs at most one new list of each resource, and all go on', async () => {
  const counted = countLists(connection);
  const { resources } = await discover(connection);
  const watched = resources.filter(({ verbs }) => verbs.includes('watch'));
  const abort = new AbortController();
  const synced = new Map<string, number>();
  const defects: unknown[] = [];
  let isSeen = false;
  const follow = async (resource: Resource) => {
    for await (const change of listWatch(counted.connection, resource, { signal: abort.signal, limits: QUICK })) {
      if (change.type === 'synced') synced.set(resourceName(resource), (synced.get(resourceName(resource)) ?? 0) + 1);
      if (change.type === 'applied' && change.object.metadata.name === 'after-restart') isSeen = true;
    }
  };
  const following = watched.map((resource) => follow(resource).catch((error) => defects.push(error)));
  await until(() => synced.size === watched.length);
  await cluster.restartApiServer();
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'after-restart', namespace: 'default' },
  });
  await until(() => isSeen);
  await sleep(1500);
  abort.abort();
  await Promise.all(following);
  assert.deepEqual(defects, []);
  const most = Math.max(...counted.lists.values());
  assert.ok(most <= 2, `${most} lists: ${[...counted.lists].filter(([, count]) => count > 2)}`);
});

async function listOnce(through: Connection, resource: Resource, pageSize?: number): Promise<readonly KubeObject[]> {
  const objects: KubeObject[] = [];
  const options = { signal: AbortSignal.timeout(20_000), once: true, pageSize };
  for await (const change of listWatch(through, resource, options))
    if (change.type === 'applied') objects.push(change.object);
  const key = (object: KubeObject) => `${object.metadata['namespace']}/${object.metadata.name}`;
  return objects.sort((left, right) => (key(left) < key(right) ? -1 : 1));
}

/** The real server as one that knows no streaming lists. */
function pagesOnly(real: Connection): Connection {
  return {
    ...face(real),
    stream: (path, options) =>
      real.stream(path.replace('sendInitialEvents=true', 'sendInitialEvents=invalid'), options),
  };
}

/** How often each path was listed: by pages (the first counts) or as a streaming list. */
function countLists(real: Connection): { readonly connection: Connection; readonly lists: Map<string, number> } {
  const lists = new Map<string, number>();
  const count = (path: string) => {
    const [name = '', query = ''] = path.split('?');
    const isList = query.includes('sendInitialEvents') || (query.includes('limit=') && !query.includes('continue='));
    if (isList) lists.set(name, (lists.get(name) ?? 0) + 1);
  };
  const counted: Connection = {
    ...face(real),
    request: (path, options) => {
      count(path);
      return real.request(path, options);
    },
    stream: async (path, options) => {
      const answer = await real.stream(path, options);
      count(path);
      return answer;
    },
  };
  return { connection: counted, lists };
}

function face(real: Connection): Connection {
  return {
    server: real.server,
    context: real.context,
    request: (path, options) => real.request(path, options),
    stream: (path, options) => real.stream(path, options),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function until(isTrue: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isTrue()) {
    assert.ok(performance.now() < deadline, 'it did not happen in time');
    await sleep(50);
  }
}
