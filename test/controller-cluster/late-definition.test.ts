import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchCatalogue } from '../../controller/cluster/watch-catalogue.ts';
import { bookmark, sendJson, sendStatus, startScriptedServer } from './scripted-server.ts';

test('a resource whose definition stands is not gone when discovery forgets it for a while', async () => {
  let isShown = true;
  let definitions: ServerResponse | undefined;
  await using server = await startScriptedServer((asked, response) => {
    if (asked.path === '/api') return sendJson(response, { kind: 'APIGroupDiscoveryList', items: [] });
    if (asked.path === '/apis')
      return sendJson(response, { kind: 'APIGroupDiscoveryList', items: isShown ? [GROUP] : [] });
    if (asked.path.includes('apiservices')) return sendStatus(response, 403, 'Forbidden');
    definitions = response;
    response.write(`${JSON.stringify({ type: 'ADDED', object: DEFINITION })}\n${bookmark('9', true)}`);
  });
  const abort = new AbortController();
  const seen: string[] = [];
  await using stack = new AsyncDisposableStack();
  const following = (async () => {
    for await (const catalogue of watchCatalogue(server.connection, { signal: abort.signal, refreshMs: 50 })) {
      seen.push([...catalogue.served.keys()].join());
    }
  })();
  stack.defer(() => abort.abort());
  await sleep(800);
  isShown = false;
  await sleep(800);
  assert.deepEqual(seen, ['things.late.test']);
  definitions?.write(`${JSON.stringify({ type: 'DELETED', object: DEFINITION })}\n`);
  await sleep(800);
  abort.abort();
  await following;
  assert.deepEqual(seen, ['things.late.test', '']);
});

const GROUP = {
  metadata: { name: 'late.test' },
  versions: [
    {
      version: 'v1',
      freshness: 'Current',
      resources: [
        {
          resource: 'things',
          responseKind: { kind: 'Thing' },
          scope: 'Namespaced',
          verbs: ['list', 'watch'],
          singularResource: 'thing',
        },
      ],
    },
  ],
};

const DEFINITION = {
  metadata: { name: 'things.late.test', uid: 'u', resourceVersion: '3' },
  spec: { group: 'late.test', names: { plural: 'things' }, versions: [{ name: 'v1', served: true }] },
  status: { conditions: [{ type: 'Established', status: 'True' }] },
};
