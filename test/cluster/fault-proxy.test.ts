import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { EXPIRED_EVENT, type Fault } from './fault.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type Cluster, startCluster } from './start-cluster.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const WATCH = `${PATH}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;

let cluster: Cluster;
let proxy: FaultProxy;
let agent: Agent;

before(async () => {
  cluster = await startCluster({ controllerManager: false });
  proxy = await startFaultProxy(cluster);
  agent = new Agent({ connect: { ca: cluster.authority } });
  for (const name of ['one', 'two', 'three']) await applyConfigMap(name);
});

after(async () => {
  await agent?.destroy();
  await proxy?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

function applyConfigMap(name: string, data: Record<string, string> = {}): Promise<unknown> {
  return cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data });
}

function ask(path: string, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
  const headers = { authorization: `Bearer ${cluster.token}` };
  return request(proxy.server + path, { dispatcher: agent, headers, ...(signal && { signal }) });
}

/** The version of a list moves with every write to the cluster. */
function unversioned(list: string): string {
  return list.replace(/"metadata":\{"resourceVersion":"\d+"\}/, '');
}

/** The lines of a body as they come, what is left of it, and whether it ended as it should. */
async function readLines(body: Dispatcher.ResponseData['body']) {
  const read = { lines: [] as string[], rest: '', whole: false };
  try {
    for await (const chunk of body) {
      const [rest = '', ...lines] = (read.rest + chunk).split('\n').reverse();
      read.lines.push(...lines.reverse());
      read.rest = rest;
    }
    read.whole = true;
  } catch (error) {
    assert.ok(error instanceof Error);
  }
  return read;
}

async function readWatch(fault: Fault) {
  const added = proxy.add(fault);
  const answer = await ask(WATCH);
  const read = await readLines(answer.body);
  added.remove();
  assert.equal(added.hits, 1);
  return read;
}

test('without a fault, answers are those of the API server, compressed ones included', async () => {
  const [direct, proxied] = [await cluster.request('GET', PATH), await ask(PATH)];
  assert.equal(proxied.statusCode, 200);
  assert.ok(proxied.headers['audit-id']);
  assert.equal(unversioned(await proxied.body.text()), unversioned(direct.text));
  await applyConfigMap('large', { text: 'long '.repeat(50_000) });
  const headers = { authorization: `Bearer ${cluster.token}`, 'accept-encoding': 'gzip' };
  const compressed = await request(proxy.server + PATH, { dispatcher: agent, headers });
  assert.equal(compressed.headers['content-encoding'], 'gzip');
  const bytes = await compressed.body.bytes();
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  assert.equal(unversioned(text), unversioned((await cluster.request('GET', PATH)).text));
  await cluster.request('DELETE', `${PATH}/large`);
});

test('a write goes through with its body', async () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'written' }, data: { a: 'b' } };
  const headers = { authorization: `Bearer ${cluster.token}`, 'content-type': 'application/json' };
  const options = { method: 'POST', dispatcher: agent, headers, body: JSON.stringify(object) } as const;
  const answer = await request(proxy.server + PATH, options);
  assert.equal(answer.statusCode, 201);
  await answer.body.dump();
  assert.match((await cluster.request('GET', `${PATH}/written`)).text, /"a": ?"b"/);
  await cluster.request('DELETE', `${PATH}/written`);
});

test('an event of a watch arrives at once', async () => {
  const abort = new AbortController();
  const answer = await ask(WATCH, abort.signal);
  const seen = Promise.withResolvers<number>();
  const reading = (async () => {
    for await (const chunk of answer.body) if (`${chunk}`.includes('"fresh"')) seen.resolve(performance.now());
  })().catch((error: Error) => error.name);
  await wait(300);
  const applied = performance.now();
  await applyConfigMap('fresh');
  const latency = (await seen.promise) - applied;
  assert.ok(latency < 1000, `it took ${latency} ms`);
  abort.abort();
  assert.equal(await reading, 'AbortError');
  await cluster.request('DELETE', `${PATH}/fresh`);
});

test('a client that leaves a watch closes it at the API server too', async () => {
  // A resource that nothing else watches.
  const watches = async () => {
    const { text } = await cluster.request('GET', '/metrics');
    const line = /^apiserver_longrunning_requests\{.*resource="podtemplates".*verb="WATCH".*\} (\d+)$/m.exec(text);
    return Number(line?.[1] ?? 0);
  };
  const abort = new AbortController();
  const answer = await ask('/api/v1/podtemplates?watch=true&timeoutSeconds=60', abort.signal);
  answer.body.on('error', () => {});
  assert.equal(await watches(), 1);
  abort.abort();
  for (let tries = 0; (await watches()) !== 0; tries++) {
    assert.ok(tries < 40, 'the watch is still open');
    await wait(50);
  }
});

test('cut closes the connection without an answer', async () => {
  const added = proxy.add({ path: /configmaps$/, action: { do: 'cut' } });
  await assert.rejects(ask(PATH), { code: 'UND_ERR_SOCKET' });
  added.remove();
  assert.equal((await ask(PATH)).statusCode, 200);
});

test('cut after lines gives exactly these lines and then an error', async () => {
  const read = await readWatch({ path: /configmaps$/, action: { do: 'cut', afterLines: 2 } });
  assert.deepEqual([read.lines.length, read.rest, read.whole], [2, '', false]);
  for (const line of read.lines) assert.equal(JSON.parse(line).type, 'ADDED');
});

test('cut after bytes gives exactly these bytes and then an error', async () => {
  const read = await readWatch({ path: /configmaps$/, action: { do: 'cut', afterBytes: 100 } });
  assert.deepEqual([read.lines.length, read.rest.length, read.whole], [0, 100, false]);
});

test('stall sends no headers and keeps the connection', async () => {
  using added = disposable({ path: /configmaps$/, times: 1, action: { do: 'stall' } });
  const answer = ask(PATH, AbortSignal.timeout(500)).then(
    () => 'answered',
    (error: Error) => error.name,
  );
  assert.equal(await answer, 'TimeoutError');
  assert.equal(added.hits, 1);
});

test('stall after lines gives these lines, then silence on an open connection', async () => {
  using _added = disposable({ path: /configmaps$/, action: { do: 'stall', afterLines: 1 } });
  const answer = await ask(WATCH, AbortSignal.timeout(1000));
  let text = '';
  const reading = (async () => {
    for await (const chunk of answer.body) text += chunk;
  })();
  await applyConfigMap('three', { changed: `${Date.now()}` });
  await assert.rejects(reading, { name: 'TimeoutError' });
  assert.equal(text.split('\n').length, 2);
  assert.ok(text.endsWith('\n'));
});

for (const [code, reason] of [
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [410, 'Expired'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
] as const) {
  test(`status ${code} comes with the Status object that Kubernetes would send`, async () => {
    using _added = disposable({ path: /configmaps$/, action: { do: 'status', code } });
    const answer = await ask(PATH);
    assert.equal(answer.statusCode, code);
    const status = (await answer.body.json()) as Record<string, unknown>;
    assert.deepEqual([status['kind'], status['apiVersion'], status['code']], ['Status', 'v1', code]);
    assert.deepEqual([status['status'], status['reason']], ['Failure', reason]);
  });
}

test('status 429 says when to come back, in the header and in the body', async () => {
  using _added = disposable({ path: /configmaps$/, action: { do: 'status', code: 429, retryAfterSeconds: 2 } });
  const answer = await ask(PATH);
  assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [429, '2']);
  const status = (await answer.body.json()) as { details: unknown };
  assert.deepEqual(status.details, { retryAfterSeconds: 2 });
});

test('truncate ends a watch cleanly in the middle of a line', async () => {
  const read = await readWatch({ path: /configmaps$/, action: { do: 'truncate', afterLines: 1 } });
  assert.deepEqual([read.lines.length, read.whole], [1, true]);
  assert.ok(read.rest.startsWith('{"type":"ADDED"'));
  assert.throws(() => JSON.parse(read.rest));
});

test('truncate ends a list cleanly in its middle', async () => {
  using _added = disposable({ path: /configmaps$/, watch: false, action: { do: 'truncate' } });
  const text = await (await ask(PATH)).body.text();
  assert.ok(text.startsWith('{"kind":"ConfigMapList"'));
  assert.throws(() => JSON.parse(text));
});

test('slow dribbles the same bytes', async () => {
  const { text } = await cluster.request('GET', PATH);
  using _added = disposable({ path: /configmaps$/, action: { do: 'slow', bytesPerSecond: text.length } });
  const started = performance.now();
  const answer = await ask(PATH);
  const chunks: string[] = [];
  for await (const chunk of answer.body) chunks.push(`${chunk}`);
  const took = performance.now() - started;
  assert.equal(unversioned(chunks.join('')), unversioned(text));
  assert.ok(chunks.length > 5, `${chunks.length} chunks`);
  assert.ok(took > 700 && took < 3000, `${took} ms`);
});

test('inject puts an ERROR event into a watch and ends it, as an expired resource version does', async () => {
  const action = { do: 'inject', line: EXPIRED_EVENT, afterLines: 2, end: true } as const;
  const read = await readWatch({ path: /configmaps$/, watch: true, action });
  assert.deepEqual([read.lines.length, read.rest, read.whole], [3, '', true]);
  const { type, object } = JSON.parse(read.lines[2] ?? '');
  assert.deepEqual([type, object.kind, object.code, object.reason], ['ERROR', 'Status', 410, 'Expired']);
});

test('inject puts garbage into a watch that goes on', async () => {
  using _added = disposable({ path: /configmaps$/, action: { do: 'inject', line: 'garbage', afterLines: 1 } });
  const answer = await ask(`${WATCH}&timeoutSeconds=1`);
  const read = await readLines(answer.body);
  assert.equal(read.lines[1], 'garbage');
  assert.ok(read.lines.length > 4 && read.whole);
});

test('a fault hits only what it is for, skips the first ones and ends after its times', async () => {
  const added = proxy.add({
    path: /configmaps$/,
    watch: false,
    after: 1,
    times: 2,
    action: { do: 'status', code: 500 },
  });
  const codes: number[] = [];
  for (let tries = 0; tries < 5; tries++) {
    const [list, other] = [await ask(PATH), await ask('/api/v1/namespaces')];
    codes.push(list.statusCode);
    assert.equal(other.statusCode, 200);
    await Promise.all([list.body.dump(), other.body.dump()]);
  }
  assert.deepEqual([codes, added.hits], [[200, 500, 500, 200, 200], 2]);
  proxy.add({ path: /./, query: /limit=/, action: { do: 'status', code: 500 } });
  assert.deepEqual([(await ask(`${PATH}?limit=1`)).statusCode, (await ask(PATH)).statusCode], [500, 200]);
  proxy.clear();
  assert.equal((await ask(`${PATH}?limit=1`)).statusCode, 200);
});

test('a fault can strike watches that are open already', async () => {
  const cut = await ask(WATCH);
  const lines = readLines(cut.body);
  await wait(300);
  assert.equal(proxy.strike(/configmaps$/, { do: 'cut' }), 1);
  assert.ok(!(await lines).whole && (await lines).lines.length >= 3);
  const injected = await ask(WATCH);
  const events = readLines(injected.body);
  await wait(300);
  assert.equal(proxy.strike(/configmaps$/, { do: 'inject', line: EXPIRED_EVENT, end: true }), 1);
  assert.ok((await events).whole);
  assert.match((await events).lines.at(-1) ?? '', /"code":410/);
  assert.equal(proxy.strike(/configmaps$/, { do: 'cut' }), 0);
});

test('the log says what was asked', async () => {
  const count = proxy.requests.length;
  for (const path of [PATH, `${WATCH}&timeoutSeconds=1`, '/api/v1/namespaces/default', '/apis/apps/v1/deployments']) {
    await (await ask(path)).body.dump();
  }
  const asked = proxy.requests.slice(count).map(({ method, path, isWatch, isList }) => [method, path, isWatch, isList]);
  assert.deepEqual(asked, [
    ['GET', PATH, false, true],
    ['GET', PATH, true, false],
    ['GET', '/api/v1/namespaces/default', false, false],
    ['GET', '/apis/apps/v1/deployments', false, true],
  ]);
  assert.ok(proxy.count((one) => one.isWatch) >= 1);
});

test('kubectl works through it, also as another user', async () => {
  const user = await cluster.createUser('reader', [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }]);
  assert.match(await readFile(proxy.kubeconfig, 'utf8'), new RegExp(proxy.server));
  assert.match(await cluster.kubectl(['--kubeconfig', proxy.kubeconfig, 'get', 'configmaps']), /^three /m);
  const theirs = await proxy.kubeconfigFor(user.token);
  await cluster.kubectl(['--kubeconfig', theirs, 'get', 'secrets']);
  await assert.rejects(cluster.kubectl(['--kubeconfig', theirs, 'get', 'configmaps']), /Forbidden/);
});

test('an API server that is gone is a cut connection, and it works again after a restart', async () => {
  await cluster.stopApiServer();
  await assert.rejects(ask(PATH), { code: 'UND_ERR_SOCKET' });
  await cluster.startApiServer();
  const answer = await ask(PATH);
  assert.equal(answer.statusCode, 200);
  await answer.body.dump();
});

test('its end closes everything, stalled and streaming connections too', async () => {
  const second = await startFaultProxy(cluster);
  second.add({ path: /namespaces$/, action: { do: 'stall' } });
  const headers = { authorization: `Bearer ${cluster.token}` };
  const stalled = request(`${second.server}/api/v1/namespaces`, { dispatcher: agent, headers });
  const watching = await request(second.server + WATCH, { dispatcher: agent, headers });
  const lines = readLines(watching.body);
  await Promise.all([second[Symbol.asyncDispose](), assert.rejects(stalled)]);
  assert.ok(!(await lines).whole);
  await assert.rejects(readFile(second.kubeconfig), { code: 'ENOENT' });
  await assert.rejects(request(`${second.server}/readyz`, { dispatcher: agent }), { code: 'ECONNREFUSED' });
});

function disposable(fault: Fault) {
  const added = proxy.add(fault);
  return {
    get hits() {
      return added.hits;
    },
    [Symbol.dispose]: () => added.remove(),
  };
}
