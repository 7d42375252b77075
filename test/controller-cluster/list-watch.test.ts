import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextLimit } from '../../controller/cluster/list-states.ts';
import { listWatch } from '../../controller/cluster/list-watch.ts';
import { KeeperError } from '../../controller/errors.ts';
import { CONFIG_MAPS, readUntil } from './changes.ts';
import {
  type Asked,
  bookmark,
  errorEvent,
  event,
  type ScriptedServer,
  sendJson,
  sendList,
  sendStatus,
  startScriptedServer,
} from './scripted-server.ts';

/** Streaming lists are refused, as old servers do; the list has one object at version 7; the n-th watch is the test's. */
function pagedServer(watch: (response: ServerResponse, asked: Asked, count: number) => void): Promise<ScriptedServer> {
  let watches = 0;
  return startScriptedServer((asked, response) => {
    if (asked.query.has('sendInitialEvents')) return sendStatus(response, 422, 'Invalid');
    if (!asked.query.has('watch')) return sendList(response, ['a'], '7');
    return watch(response, asked, ++watches);
  });
}

function listsOf(server: ScriptedServer): number {
  return server.requests.filter((asked) => !asked.query.has('watch')).length;
}

function resumedFrom(server: ScriptedServer): readonly (string | null)[] {
  const watches = server.requests.filter((asked) => asked.query.has('watch') && !asked.query.has('sendInitialEvents'));
  return watches.map((asked) => asked.query.get('resourceVersion'));
}

test('a streaming list names every object, says synced at its bookmark and goes on as a watch', async () => {
  await using server = await startScriptedServer((_asked, response) => {
    response.write(event('ADDED', 'a', '3') + bookmark('9', true) + event('MODIFIED', 'a', '10'));
    response.write(event('DELETED', 'a', '11'));
  });
  const words = await readUntil(server.connection, {}, (word) => word === 'deleted a');
  assert.deepEqual(words, ['listing', 'applied a', 'synced 9', 'applied a', 'deleted a']);
  assert.equal(server.requests.length, 1);
});

test('a server that refuses the streaming list is listed by pages, once', async () => {
  await using server = await pagedServer((response) => response.write(event('ADDED', 'b', '8')));
  const words = await readUntil(server.connection, {}, (word) => word === 'applied b');
  assert.deepEqual(words, ['listing', 'applied a', 'synced 7', 'applied b']);
  assert.equal(listsOf(server), 1);
  assert.deepEqual(resumedFrom(server), ['7']);
});

test('a server that takes a streaming list for a plain watch is listed by pages', async () => {
  await using server = await startScriptedServer((asked, response) => {
    if (!asked.query.has('watch')) return sendList(response, ['a'], '7');
    response.writeHead(200).flushHeaders();
  });
  const words = await readUntil(server.connection, { limits: { listSilenceMs: 100 } }, (word) => word === 'synced 7');
  assert.deepEqual(words, ['listing', 'applied a', 'synced 7']);
});

test('who may list but not watch is listed, and then polled instead of listed again and again', async () => {
  await using server = await startScriptedServer((asked, response) => {
    if (asked.query.has('watch')) return sendStatus(response, 403, 'Forbidden');
    return sendList(response, ['a'], '7');
  });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 1500);
  await assert.rejects(
    readUntil(server.connection, { signal: abort.signal }, () => false),
    /the list-watch ended/,
  );
  assert.equal(listsOf(server), 2);
});

test('when the server ends a watch, it goes on from the last version and does not list', async () => {
  await using server = await pagedServer((response, _asked, count) => {
    response.end(count === 1 ? event('ADDED', 'b', '8') + bookmark('12') : event('ADDED', 'c', '13'));
  });
  await readUntil(server.connection, {}, (word) => word === 'applied c');
  assert.deepEqual(resumedFrom(server), ['7', '12']);
  assert.equal(listsOf(server), 1);
});

test('a watch that is cut in the middle of a line goes on from the last whole one', async () => {
  await using server = await pagedServer((response, _asked, count) => {
    if (count > 1) return void response.write(event('ADDED', 'c', '9'));
    response.write(event('ADDED', 'b', '8'));
    response.write(event('ADDED', 'c', '9').slice(0, 30), () => setTimeout(() => response.destroy(), 20));
  });
  const words = await readUntil(server.connection, {}, (word) => word === 'applied c');
  assert.deepEqual(words, ['listing', 'applied a', 'synced 7', 'applied b', 'applied c']);
  assert.deepEqual(resumedFrom(server), ['7', '8']);
});

test('a whole line that is damaged is not passed over: everything is listed again', async () => {
  await using server = await pagedServer((response, _asked, count) => {
    response.write(count === 1 ? `${event('ADDED', 'b', '8').slice(0, 30)}\n` : event('ADDED', 'c', '9'));
  });
  const words = await readUntil(server.connection, {}, (word) => word === 'applied c');
  assert.deepEqual(words, ['listing', 'applied a', 'synced 7', 'listing', 'applied a', 'synced 7', 'applied c']);
  assert.equal(listsOf(server), 2);
});

for (const how of ['as an event', 'as an answer'] as const) {
  test(`a version that is too old, told ${how}, costs one new list`, async () => {
    await using server = await pagedServer((response, _asked, count) => {
      if (count > 1) return void response.write(event('ADDED', 'c', '9'));
      if (how === 'as an answer') return sendStatus(response, 410, 'Expired');
      response.write(errorEvent(410, 'Expired'));
    });
    const words = await readUntil(server.connection, {}, (word) => word === 'applied c');
    assert.deepEqual(words.slice(3), ['listing', 'applied a', 'synced 7', 'applied c']);
    assert.equal(listsOf(server), 2);
  });
}

test('a new list after an outage does not wait for as long as the many futile tries before it', async () => {
  await using server = await pagedServer((response, _asked, count) => {
    if (count <= 5) return sendStatus(response, 500, 'InternalError');
    if (count === 6) return sendStatus(response, 410, 'Expired');
    response.write(event('ADDED', 'c', '9'));
  });
  const waits: number[] = [];
  const options = { random: () => 0.99, onRetry: (_error: KeeperError, ms: number) => waits.push(ms) };
  const limits = { retry: { baseMs: 20, capMs: 10_000 } };
  await readUntil(server.connection, { ...options, limits }, (word) => word === 'applied c');
  assert.ok((waits.at(-2) ?? 0) > 300 && (waits.at(-1) ?? 99) <= 20, waits.join());
});

test('a version from the future, as after a restored etcd, costs one new list', async () => {
  await using server = await pagedServer((response, _asked, count) => {
    if (count > 1) return void response.write(event('ADDED', 'c', '9'));
    const causes = [{ reason: 'ResourceVersionTooLarge' }];
    sendJson(response, { kind: 'Status', code: 504, reason: 'Timeout', details: { causes } }, 504);
  });
  await readUntil(server.connection, {}, (word) => word === 'applied c');
  assert.equal(listsOf(server), 2);
});

test('any other error in a watch is tried again from the last version', async () => {
  await using server = await pagedServer((response, _asked, count) => {
    if (count === 1) return void response.write(event('ADDED', 'b', '8') + errorEvent(500, 'InternalError'));
    if (count === 2) return sendStatus(response, 500, 'InternalError');
    response.write(event('ADDED', 'c', '9'));
  });
  await readUntil(server.connection, {}, (word) => word === 'applied c');
  assert.deepEqual(resumedFrom(server), ['7', '8', '8']);
  assert.equal(listsOf(server), 1);
});

test('a watch that falls silent is declared dead and goes on from the last version', async () => {
  await using server = await pagedServer((response, _asked, count) => {
    response.write(count === 1 ? event('ADDED', 'b', '8') : event('ADDED', 'c', '9'));
  });
  await readUntil(server.connection, { limits: { silenceMs: 150 } }, (word) => word === 'applied c');
  assert.deepEqual(resumedFrom(server), ['7', '8']);
  assert.equal(listsOf(server), 1);
});

test('a slow object is no silence as long as its bytes come', async () => {
  await using server = await pagedServer(async (response) => {
    for (const character of event('ADDED', 'b', '8')
      .replaceAll(/(.{8})/g, '$1\0')
      .split('\0')) {
      response.write(character);
      await sleep(60);
    }
  });
  await readUntil(server.connection, { limits: { silenceMs: 400 } }, (word) => word === 'applied b');
  assert.deepEqual(resumedFrom(server), ['7']);
});

test('a slow consumer is not taken for a silent server', async () => {
  await using server = await pagedServer((response, asked) => {
    if (asked.query.get('resourceVersion') === '7') response.write(event('ADDED', 'b', '8') + event('ADDED', 'c', '9'));
  });
  const signal = AbortSignal.timeout(10_000);
  for await (const change of listWatch(server.connection, CONFIG_MAPS, { signal, limits: { silenceMs: 100 } })) {
    if (change.type === 'applied') await sleep(150);
    if (change.type === 'applied' && change.object.metadata.name === 'c') break;
  }
  assert.deepEqual(resumedFrom(server), ['7']);
});

test('a token that expires between pages starts the list over and never ends half a list', async () => {
  let lists = 0;
  await using server = await startScriptedServer((asked, response) => {
    if (asked.query.has('sendInitialEvents')) return sendStatus(response, 400, 'BadRequest');
    if (asked.query.has('watch')) return void response.flushHeaders();
    if (asked.query.get('continue') === 'old') return sendStatus(response, 410, 'Expired');
    lists++;
    return asked.query.has('continue')
      ? sendList(response, ['b'], '9')
      : sendList(response, ['a'], '9', lists === 1 ? 'old' : 'new');
  });
  const words = await readUntil(server.connection, {}, (word) => word.startsWith('synced'));
  assert.deepEqual(words, ['listing', 'applied a', 'listing', 'applied a', 'applied b', 'synced 9']);
});

test('a busy server is asked again only after the time it named', async () => {
  const times: number[] = [];
  await using server = await startScriptedServer((asked, response) => {
    if (asked.query.has('watch')) return sendStatus(response, 400, 'BadRequest');
    times.push(performance.now());
    if (times.length > 1) return sendList(response, ['a'], '7');
    return sendStatus(response, 429, 'TooManyRequests', { 'retry-after': '1' });
  });
  const words = await readUntil(server.connection, { once: true }, (word) => word === 'synced 7');
  assert.deepEqual(words, ['listing', 'listing', 'applied a', 'synced 7']);
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990);
});

test('a resource that may not be read is told once, and comes back by itself', async () => {
  let refusals = 0;
  await using server = await startScriptedServer((asked, response) => {
    if (refusals++ < 8) return sendStatus(response, 403, 'Forbidden');
    if (asked.query.has('watch')) return void response.write(event('ADDED', 'a', '3') + bookmark('9', true));
  });
  const words = await readUntil(server.connection, {}, (word) => word.startsWith('synced'));
  assert.equal(words.filter((word) => word === 'skipped RESOURCE_FORBIDDEN').length, 1);
  assert.deepEqual(words.slice(-3), ['listing', 'applied a', 'synced 9']);
});

test('a single run throws what a person has to change, and tries again what may pass', async () => {
  await using denied = await startScriptedServer((_asked, response) => sendStatus(response, 403, 'Forbidden'));
  await assert.rejects(
    readUntil(denied.connection, { once: true }, () => false),
    (error) => {
      assert.ok(error instanceof KeeperError);
      assert.equal(error.code, 'RESOURCE_FORBIDDEN');
      assert.match(error.message, /^Not permitted: GET \/api\/v1\/configmaps \(403: Forbidden by script\)/);
      return true;
    },
  );
  await using broken = await startScriptedServer((_asked, response) => sendStatus(response, 500, 'InternalError'));
  await assert.rejects(
    readUntil(broken.connection, { once: true }, () => false),
    { code: 'CLUSTER_BUSY' },
  );
  assert.equal(broken.requests.length, 4);
});

test('leaving the loop ends the request', async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startScriptedServer((_asked, response) => {
    response.on('close', closed.resolve);
    response.write(event('ADDED', 'a', '3'));
  });
  const signal = new AbortController().signal;
  await assert.rejects(async () => {
    for await (const change of listWatch(server.connection, CONFIG_MAPS, { signal })) {
      if (change.type === 'applied') throw new Error('the consumer fails');
    }
  }, /the consumer fails/);
  await Promise.race([closed.promise, sleep(3000).then(() => assert.fail('the request is still open'))]);
});

test('an abort ends the list-watch without an error', async () => {
  await using server = await startScriptedServer((_asked, response) => void response.write(event('ADDED', 'a', '3')));
  const abort = new AbortController();
  const types: string[] = [];
  for await (const change of listWatch(server.connection, CONFIG_MAPS, { signal: abort.signal })) {
    types.push(change.type);
    if (change.type === 'applied') setTimeout(() => abort.abort(), 50);
  }
  assert.deepEqual(types, ['listing', 'applied']);
});

test('pages of large objects become small ones', () => {
  assert.equal(nextLimit(250, 100, 200_000), 250);
  assert.equal(nextLimit(250, 100, 100_000_000), 2);
  assert.equal(nextLimit(250, 1, 5_000_000), 1);
  assert.equal(nextLimit(250, 0, 60), 250);
});
