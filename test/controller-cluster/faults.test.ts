import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect } from '../../controller/cluster/connect.ts';
import { type ListWatchOptions, listWatch } from '../../controller/cluster/list-watch.ts';
import { EXPIRED_EVENT, type Fault } from '../cluster/fault.ts';
import { type FaultProxy, startFaultProxy } from '../cluster/fault-proxy.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import { CONFIG_MAPS, QUICK, renderChange } from './changes.ts';

const cluster = await startCluster({ controllerManager: false });
after(() => cluster[Symbol.asyncDispose]());

const SPACE = 'default';
const PATH = /\/namespaces\/default\/configmaps$/;

/** What happens to a running watch, how many lists it may cost, and what meets the next request. */
const STRIKES: readonly {
  what: string;
  lists: number;
  strike: Parameters<FaultProxy['strike']>[1];
  next?: Fault['action'];
}[] = [
  { what: 'is cut', lists: 0, strike: { do: 'cut' } },
  {
    what: 'is cut, and the next one is refused with 401',
    lists: 0,
    strike: { do: 'cut' },
    next: { do: 'status', code: 401 },
  },
  {
    what: 'is cut, and the next one is told to wait',
    lists: 0,
    strike: { do: 'cut' },
    next: { do: 'status', code: 429, retryAfterSeconds: 1 },
  },
  {
    what: 'is cut, and the next one fails with 500',
    lists: 0,
    strike: { do: 'cut' },
    next: { do: 'status', code: 500 },
  },
  {
    what: 'is cut, and its version is too old then',
    lists: 1,
    strike: { do: 'cut' },
    next: { do: 'status', code: 410 },
  },
  { what: 'stalls', lists: 0, strike: { do: 'stall' } },
  { what: 'ends in the middle of a line', lists: 0, strike: { do: 'truncate' } },
  { what: 'has a damaged line', lists: 1, strike: { do: 'inject', line: '{"type":"MODIFIED","object":{"me' } },
  { what: 'says that its version is too old', lists: 1, strike: { do: 'inject', line: EXPIRED_EVENT, end: true } },
  { what: 'comes byte by byte', lists: 0, strike: { do: 'slow', bytesPerSecond: 2000 } },
];

for (const { what, lists, strike, next } of STRIKES) {
  test(`a watch that ${what} misses nothing and costs ${lists} new lists`, async () => {
    await using proxy = await startFaultProxy(cluster);
    await using watching = await follow(proxy);
    await watching.until('synced');
    if (next !== undefined) proxy.add({ path: PATH, times: 1, action: next });
    assert.equal(proxy.strike(PATH, strike), 1);
    await apply(`after-${STRIKES.findIndex((one) => one.what === what)}`, what);
    await watching.until(`applied after-${STRIKES.findIndex((one) => one.what === what)}`);
    assert.equal(listsThrough(proxy), 1 + lists);
  });
}

test('a paged list that expires in the middle is started over once and is complete', async () => {
  for (let index = 0; index < 250; index++) await apply(`page-${index}`, 'x');
  await using proxy = await startFaultProxy(cluster);
  proxy.add({ path: PATH, query: /sendInitialEvents/, action: { do: 'status', code: 422 } });
  proxy.add({ path: PATH, query: /continue=/, times: 1, action: { do: 'status', code: 410 } });
  await using watching = await follow(proxy, { pageSize: 100 });
  await watching.until('synced');
  const firstList = watching.words.lastIndexOf('listing');
  assert.equal(watching.words.filter((word) => word === 'listing').length, 2);
  assert.ok(new Set(watching.words.slice(firstList).filter((word) => word.startsWith('applied page-'))).size === 250);
  assert.equal(
    proxy.count(({ isList, query }) => isList && !query.includes('continue=')),
    2,
  );
});

/** Lists that began: by pages or streamed. */
function listsThrough(proxy: FaultProxy): number {
  return proxy.count(
    ({ isList, query }) => query.includes('sendInitialEvents') || (isList && !query.includes('continue=')),
  );
}

async function apply(name: string, text: string): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: SPACE }, data: { text } });
}

/** A list-watch in the background. */
async function follow(proxy: FaultProxy, options: Partial<ListWatchOptions> = {}) {
  const connection = await connect({ kubeconfig: proxy.kubeconfig });
  const abort = new AbortController();
  const words: string[] = [];
  let arrived: () => void = () => undefined;
  const limits = { ...QUICK, silenceMs: 1000 };
  const following = (async () => {
    for await (const change of listWatch(connection, CONFIG_MAPS, {
      namespace: SPACE,
      limits,
      ...options,
      signal: abort.signal,
    })) {
      words.push(renderChange(change));
      arrived();
    }
  })();
  return {
    words,
    /** Waits for a word that begins so; fails after 15 s. */
    async until(beginning: string): Promise<void> {
      const deadline = performance.now() + 15_000;
      while (!words.some((word) => word.startsWith(beginning))) {
        assert.ok(performance.now() < deadline, `no "${beginning}" after: ${words.join(', ')}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        arrived = resolve;
        const timer = setTimeout(resolve, 500);
        await promise;
        clearTimeout(timer);
      }
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await following;
      await connection[Symbol.asyncDispose]();
    },
  };
}
