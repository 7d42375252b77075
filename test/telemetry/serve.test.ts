import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { Vitals } from '../../controller/core/vitals.ts';
import { Health } from '../../controller/telemetry/health.ts';
import { serve } from '../../controller/telemetry/serve.ts';
import { metricsWith } from './scraped.ts';

async function served() {
  const stop = new AbortController();
  const health = new Health(new Vitals(() => 0), stop.signal);
  const { metrics } = metricsWith();
  const server = await serve({ host: '127.0.0.1', port: 0 }, { health, metrics });
  const url = `http://${server.address}`;
  return { server, url, health, stop, ask: (path: string, init?: RequestInit) => fetch(`${url}${path}`, init) };
}

test('probes answer in words: ok, the checks when asked for, and what is wrong unasked', async () => {
  const { server, ask, health, stop } = await served();
  await using _server = server;
  for (const path of ['/livez', '/healthz']) {
    const answer = await ask(path);
    assert.deepEqual([answer.status, await answer.text()], [200, 'ok']);
  }
  const verbose = await ask('/livez?verbose');
  assert.deepEqual([verbose.status, await verbose.text()], [200, '[+]ping ok\n[+]writer ok\nlivez check passed\n']);
  const waiting = await ask('/readyz');
  assert.equal(waiting.status, 503);
  assert.match(await waiting.text(), /^\[-\]lists failed: the first lists are not complete\n/);
  health.observe({ type: 'synced', resources: 1, objects: 1, skipped: 0 });
  assert.equal((await ask('/readyz')).status, 200);
  stop.abort();
  assert.equal((await ask('/readyz')).status, 503);
  assert.equal((await ask('/livez')).status, 200);
});

test('metrics come in the text format, and HEAD without a body', async () => {
  const { server, ask } = await served();
  await using _server = server;
  const answer = await ask('/metrics');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await answer.text(), /^kubekeeper_build_info\{version="1\.2\.3",node_version="v24[^"]*"\} 1$/m);
  const head = await ask('/metrics', { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('all else is refused: other paths with 404, other methods with 405', async () => {
  const { server, ask } = await served();
  await using _server = server;
  for (const path of ['/', '/metrics/', '/livez/../metrics%00', '//metrics', '/debug/pprof']) {
    assert.equal((await ask(path)).status, 404, path);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const answer = await ask('/metrics', { method });
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, HEAD'], method);
  }
});

test('a caller that says too much is refused, and one that says nothing is let go', async () => {
  const { server, url, ask } = await served();
  await using _server = server;
  const long = await ask('/livez', { headers: { 'x-long': 'a'.repeat(10_000) } });
  assert.equal(long.status, 431);
  const silent = connect(Number(new URL(url).port), '127.0.0.1');
  silent.write('GET /livez HTTP/1.1\r\n');
  const started = performance.now();
  await new Promise((resolve) => silent.on('close', resolve).resume());
  assert.ok(performance.now() - started < 10_000);
});

test('an open connection does not delay the end', async () => {
  const { server, url } = await served();
  const open = connect(Number(new URL(url).port), '127.0.0.1');
  await new Promise((resolve) => open.on('connect', resolve));
  open.write('GET /livez HTTP/1.1\r\n');
  const closed = new Promise((resolve) => open.on('close', resolve).on('error', () => undefined));
  await server[Symbol.asyncDispose]();
  await closed;
});

test('an address that cannot be used is said in one line, with what to do', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const parts = {
    health: new Health(new Vitals(() => 0), new AbortController().signal),
    metrics: metricsWith().metrics,
  };
  const address = { host: '127.0.0.1', port };
  await assert.rejects(serve(address, parts), {
    code: 'ADDRESS_UNUSABLE',
    kind: 'invalid-input',
    message: `Cannot listen on 127.0.0.1:${port}: another process listens there; nothing was changed, choose another with --listen`,
  });
  taken.close();
  await assert.rejects(serve({ host: '192.0.2.1', port: 0 }, parts), { code: 'ADDRESS_UNUSABLE' });
  await assert.rejects(serve({ host: 'no-such-host.invalid', port: 0 }, parts), { code: 'ADDRESS_UNUSABLE' });
});
