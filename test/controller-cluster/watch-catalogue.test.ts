import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../controller/cluster/connect.ts';
import { watchCatalogue } from '../../controller/cluster/watch-catalogue.ts';
import type { Catalogue } from '../../controller/core/ports.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import { definition } from './definition.ts';

const cluster = await startCluster({ controllerManager: false });
const connection = await connect({ kubeconfig: cluster.kubeconfig });
after(async () => {
  await connection[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

test('a definition that comes, gets another version and goes is in the catalogue within seconds each time', async () => {
  await using catalogues = follow();
  await catalogues.until((catalogue) => catalogue.served.has('configmaps'));
  const name = 'things.watched.test';
  await cluster.apply(definition(name).object);
  await catalogues.until((catalogue) => catalogue.served.get(name)?.join() === 'v1');
  await cluster.apply(definition(name, ['v1', 'v2']).object);
  await catalogues.until((catalogue) => catalogue.served.get(name)?.join() === 'v2,v1');
  await cluster.request('DELETE', definition(name).path);
  await catalogues.until((catalogue) => !catalogue.served.has(name));
});

test('an archive stays with its pinned version when a newer one is served', async () => {
  const name = 'pins.watched.test';
  await cluster.apply(definition(name, ['v1', 'v2']).object);
  await using catalogues = follow(new Map([[name, 'v1']]));
  const catalogue = await catalogues.until((so) => so.served.has(name));
  assert.equal(catalogue.resources.find(({ plural }) => plural === 'pins')?.version, 'v1');
});

test('an API whose server is missing is unavailable, all others stay, and it is noticed when it goes', async () => {
  await using catalogues = follow();
  const before = await catalogues.until((catalogue) => catalogue.served.has('configmaps'));
  await cluster.apply({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.down.test' },
    spec: {
      group: 'down.test',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { name: 'missing', namespace: 'default' },
    },
  });
  const broken = await catalogues.until((catalogue) => catalogue.unavailable.length > 0);
  assert.deepEqual(broken.unavailable, [
    { group: 'down.test', version: 'v1', reason: 'The server behind this API does not answer' },
  ]);
  assert.deepEqual([...broken.served.keys()].sort(), [...before.served.keys()].sort());
  await cluster.request('DELETE', '/apis/apiregistration.k8s.io/v1/apiservices/v1.down.test');
  await catalogues.until((catalogue) => catalogue.unavailable.length === 0);
});

test('who may not watch definitions still learns of a new one, by looking', async () => {
  const user = await cluster.createUser('looker', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }]);
  await using limited = await connect({ kubeconfig: user.kubeconfig });
  await using catalogues = follow(undefined, limited);
  await catalogues.until((catalogue) => catalogue.served.has('configmaps'));
  await sleep(1500);
  const name = 'looks.watched.test';
  await cluster.apply(definition(name).object);
  await catalogues.until((catalogue) => catalogue.served.has(name));
});

test('a restart of the API server takes no resource away', async () => {
  const name = 'stays.watched.test';
  await cluster.apply(definition(name).object);
  await using catalogues = follow();
  await catalogues.until((catalogue) => catalogue.served.has(name));
  const { length } = catalogues.all;
  await cluster.restartApiServer();
  await cluster.apply(definition('later.watched.test').object);
  await catalogues.until((catalogue) => catalogue.served.has('later.watched.test'), 30_000);
  assert.ok(catalogues.all.slice(length).every((catalogue) => catalogue.served.has(name)));
});

/** Follows the catalogue in the background. */
function follow(pinned?: ReadonlyMap<string, string>, through = connection) {
  const abort = new AbortController();
  const all: Catalogue[] = [];
  let [arrived, failure]: [() => void, unknown] = [() => undefined, undefined];
  const following = (async () => {
    const options = { signal: abort.signal, ...(pinned === undefined ? {} : { pinned }) };
    for await (const catalogue of watchCatalogue(through, options)) {
      all.push(catalogue);
      arrived();
    }
  })().catch((error) => {
    failure = error;
    arrived();
  });
  return {
    all,
    /** The first catalogue, from the newest on, that is so; fails after 10 s. */
    async until(isSo: (catalogue: Catalogue) => boolean, timeoutMs = 10_000): Promise<Catalogue> {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const newest = all.at(-1);
        if (newest !== undefined && isSo(newest)) return newest;
        assert.ok(failure === undefined && performance.now() < deadline, `not in time: ${failure ?? ''}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        arrived = resolve;
        const timer = setTimeout(resolve, deadline - performance.now());
        await promise;
        clearTimeout(timer);
      }
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await following;
      if (failure !== undefined) throw failure;
    },
  };
}
