import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from '../../controller/cluster/connect.ts';
import { listWatch } from '../../controller/cluster/list-watch.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import { CONFIG_MAPS, QUICK } from './changes.ts';

/** etcd forgets old revisions while a list is read page by page: the server then has no next page. */

// Without its cache the API server reads every page from etcd.
const cluster = await startCluster({ controllerManager: false, apiServerArgs: ['--watch-cache=false'] });
after(() => cluster[Symbol.asyncDispose]());

const OBJECTS = 300;
const WAIT_SECONDS = 2;
const CONFIG_MAPS_PATH = /\/namespaces\/default\/configmaps$/;

test('etcd compacted in the middle of a paged list costs one more list, which is complete, and no deletion', async () => {
  for (let index = 0; index < OBJECTS; index++) await put(`map-${index}`, 'before');
  await using proxy = await startFaultProxy(cluster);
  proxy.add({ path: CONFIG_MAPS_PATH, query: /sendInitialEvents/, action: { do: 'status', code: 422 } });
  // The second page has to wait, as behind a busy server; meanwhile the past goes.
  const busy = proxy.add({
    path: CONFIG_MAPS_PATH,
    query: /continue=/,
    times: 1,
    action: { do: 'status', code: 429, retryAfterSeconds: WAIT_SECONDS },
  });
  const connection = await connect({ kubeconfig: proxy.kubeconfig });
  const abort = new AbortController();
  const limits = { ...QUICK, silenceMs: 1000 };
  const lists: Set<string>[] = [];
  const compacted = forget(() => busy.hits === 1);
  try {
    for await (const change of listWatch(connection, CONFIG_MAPS, {
      namespace: 'default',
      pageSize: 100,
      limits,
      signal: abort.signal,
    })) {
      if (change.type === 'listing') lists.push(new Set());
      if (change.type === 'applied') lists.at(-1)?.add(change.object.metadata.name);
      assert.notEqual(change.type, 'deleted');
      if (change.type === 'synced') break;
    }
  } finally {
    abort.abort();
    await connection[Symbol.asyncDispose]();
  }
  await compacted;
  const expired = proxy.requests.filter(({ query }) => query.includes('continue='));
  assert.ok(expired.length >= 2);
  assert.equal(lists.length, 2, 'the list was started over once');
  assert.equal([...(lists.at(-1) ?? [])].filter((name) => name.startsWith('map-')).length, OBJECTS);
});

async function put(name: string, text: string): Promise<void> {
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { text },
  });
}

/** Once the second page was refused. */
async function forget(isTime: () => boolean): Promise<void> {
  while (!isTime()) await new Promise((resolve) => setTimeout(resolve, 20));
  await put('map-0', 'after');
  await compact();
}

/** Through etcd's own gateway, up to the present. */
async function compact(): Promise<void> {
  const { header } = (await askEtcd('range', { key: 'AA==' })) as { header: { revision: string } };
  await askEtcd('compaction', { revision: header.revision, physical: true });
}

function askEtcd(method: string, body: object): Promise<unknown> {
  const socketPath = join(cluster.directory, 'etcd:1');
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: `/v3/kv/${method}`, method: 'POST' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`etcd ${method}: ${response.statusCode} ${text}`));
      });
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}
