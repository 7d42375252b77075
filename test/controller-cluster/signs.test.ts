import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OnSign } from '../../controller/core/signs.ts';
import { CONFIG_MAPS, readUntil } from './changes.ts';
import { bookmark, errorEvent, event, sendList, sendStatus, startScriptedServer } from './scripted-server.ts';

/** What a list-watch shows of itself, for metrics. */

function listen() {
  const signs: string[] = [];
  const onSign: OnSign = (resource, namespace, sign) => {
    const place = `${resource.plural}${namespace === undefined ? '' : `/${namespace}`}`;
    signs.push(`${place} ${sign.type}${sign.type === 'listing' ? ` ${sign.cause}` : ''}`);
  };
  return { signs, onSign };
}

test('each list is told with its cause: the first, and the failure before each other one', async () => {
  let watches = 0;
  await using server = await startScriptedServer((asked, response) => {
    if (asked.query.has('sendInitialEvents')) return sendStatus(response, 422, 'Invalid');
    if (!asked.query.has('watch')) return sendList(response, ['a'], '7');
    response.write(++watches === 1 ? errorEvent(410, 'Expired') : event('ADDED', 'c', '9'));
  });
  const { signs, onSign } = listen();
  await readUntil(server.connection, { onSign }, (word) => word === 'applied c');
  const lists = signs.filter((sign) => sign.includes('listing'));
  assert.deepEqual(lists, ['configmaps listing first', 'configmaps listing RESOURCE_EXPIRED']);
});

test('a resource that cannot be watched is listed again as a poll', async () => {
  await using server = await startScriptedServer((_asked, response) => sendList(response, ['a'], '7'));
  const { signs, onSign } = listen();
  const resource = { ...CONFIG_MAPS, verbs: ['get', 'list'] };
  let synced = 0;
  const limits = { pollMs: 10 };
  await readUntil(server.connection, { onSign, resource, limits }, (word) => word === 'synced 7' && ++synced === 2);
  const lists = signs.filter((sign) => sign.includes('listing'));
  assert.deepEqual(lists.slice(0, 2), ['configmaps listing first', 'configmaps listing poll']);
});

test('a bookmark alone is a sign of life, and the end is told once', async () => {
  await using server = await startScriptedServer((_asked, response) => {
    response.write(bookmark('9', true));
    setTimeout(() => response.write(bookmark('10')), 50);
    setTimeout(() => response.write(bookmark('11')), 100);
    setTimeout(() => response.write(event('ADDED', 'b', '12')), 150);
  });
  const { signs, onSign } = listen();
  await readUntil(server.connection, { onSign, namespace: 'shop' }, (word) => word === 'applied b');
  assert.ok(signs.filter((sign) => sign === 'configmaps/shop alive').length >= 4, signs.join());
  assert.equal(signs.at(-1), 'configmaps/shop ended');
  assert.equal(signs.filter((sign) => sign.endsWith('ended')).length, 1);
});
