import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Connection, connect } from '../../controller/cluster/connect.ts';
import { leasePlace, openLeaseStore } from '../../controller/cluster/lease.ts';
import type { LeaseRecord, LeaseStore } from '../../controller/core/ports.ts';
import { KeeperError } from '../../controller/errors.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';

/** The Lease on a real API server: what the election needs of it. */

let cluster: Cluster;
let connection: Connection;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  connection = await connect({ kubeconfig: cluster.kubeconfig });
});
after(async () => {
  await connection[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const { signal } = new AbortController();
const held = (holder: string, transitions = 0) => ({ holder, durationSeconds: 15, transitions });
const path = (name: string) => `/apis/coordination.k8s.io/v1/namespaces/default/leases/${name}`;
const open = (name: string) => openLeaseStore(connection, { namespace: 'default', name });

async function live(name: string) {
  const answer = await cluster.request('GET', path(name));
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as {
    metadata: { labels?: object; annotations?: object };
    spec: Record<string, string | number>;
  };
}

async function taken(store: LeaseStore, next: Parameters<LeaseStore['write']>[0]): Promise<LeaseRecord> {
  const record = await store.write(next, await store.read(signal), signal);
  assert.ok(record, 'somebody else was faster');
  return record;
}

test('a Lease is made, renewed and given back as client-go would, with times to the microsecond', async () => {
  const store = open('whole');
  assert.equal(await store.read(signal), undefined);
  const made = await taken(store, held('a'));
  assert.deepEqual(await store.read(signal), made);
  const first = (await live('whole')).spec;
  assert.match(String(first['acquireTime']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.deepEqual([first['holderIdentity'], first['leaseDurationSeconds'], first['leaseTransitions']], ['a', 15, 0]);
  const renewed = await store.write(held('a'), made, signal);
  assert.ok(renewed && renewed.resourceVersion !== made.resourceVersion);
  const second = (await live('whole')).spec;
  assert.equal(second['acquireTime'], first['acquireTime']);
  assert.ok(String(second['renewTime']) > String(first['renewTime']));
  const released = await store.write({ holder: '', durationSeconds: 1, transitions: 0 }, renewed, signal);
  assert.deepEqual([released?.holder, released?.durationSeconds], ['', 1]);
  assert.equal((await store.write(held('b', 1), released, signal))?.transitions, 1);
  assert.notEqual((await live('whole')).spec['acquireTime'], first['acquireTime']);
});

test('of many who make or take the same Lease at once, exactly one does', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `candidate-${index}`);
  let seen: LeaseRecord | undefined;
  for (let round = 0; round < 10; round++) {
    // Each looks for itself, as processes do; then all write at once.
    const stores = names.map((name) => ({ name, store: open('contended') }));
    const looked = await Promise.all(stores.map(async (one) => ({ ...one, over: await one.store.read(signal) })));
    const tries = looked.map(({ name, store, over }) => store.write(held(name, round), over, signal));
    const won = (await Promise.all(tries)).filter((record) => record !== undefined);
    assert.equal(won.length, 1);
    seen = won[0];
    assert.deepEqual(await open('contended').read(signal), seen);
  }
});

test('a write over what has changed since, or is gone, changes nothing and is no error', async () => {
  const store = open('stale');
  const made = await taken(store, held('a'));
  await taken(store, held('b', 1));
  assert.equal(await store.write(held('a'), made, signal), undefined);
  assert.equal((await store.read(signal))?.holder, 'b');
  await cluster.request('DELETE', path('stale'));
  assert.equal(await store.write(held('b', 1), made, signal), undefined);
  assert.equal(await store.read(signal), undefined);
  assert.equal((await store.write(held('c'), undefined, signal))?.holder, 'c');
  assert.equal(await store.write(held('d'), undefined, signal), undefined);
});

test('labels and annotations that others put on the Lease stay', async () => {
  const spec = { holderIdentity: 'before', leaseDurationSeconds: 1, leaseTransitions: 7 };
  const metadata = { name: 'labelled', namespace: 'default', labels: { team: 'ops' }, annotations: { note: 'kept' } };
  await cluster.apply({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec });
  const record = await taken(open('labelled'), held('a', 8));
  assert.equal(record.transitions, 8);
  const { labels, annotations } = (await live('labelled')).metadata;
  assert.deepEqual([labels, annotations], [metadata.labels, metadata.annotations]);
});

test('a right that is missing is named, with where to grant it', async () => {
  const rule = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  const user = await cluster.createUser('candidate', []);
  await using poor = await connect({ kubeconfig: user.kubeconfig });
  const place = { namespace: 'default', name: 'rights' };
  const store = openLeaseStore(poor, place);
  await refused(
    () => store.read(signal),
    /^Cannot take part in the election: not permitted to get the Lease "rights" in/,
  );
  await user.setRules([{ ...rule, verbs: ['get'] }]);
  await eventually(() => store.read(signal));
  await refused(
    () => store.write(held('a'), undefined, signal),
    /not permitted to create .* grant get, create and update/,
  );
  const made = await taken(openLeaseStore(connection, place), held('a'));
  await refused(() => store.write(held('a'), made, signal), /not permitted to update the Lease "rights"/);
  await user.setRules([{ ...rule, verbs: ['get', 'update'], resourceNames: ['rights'] }]);
  await eventually(() => store.write(held('a'), made, signal));
});

async function refused(ask: () => Promise<unknown>, says: RegExp): Promise<void> {
  await assert.rejects(ask(), (error) => {
    assert.ok(error instanceof KeeperError);
    assert.deepEqual([error.kind, error.code], ['stalled', 'RESOURCE_FORBIDDEN']);
    assert.match(error.message, says);
    return true;
  });
}

/** The API server takes a moment to notice new rules. */
async function eventually(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (tries > 100 || !(error instanceof KeeperError) || error.code !== 'RESOURCE_FORBIDDEN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test('a namespace that is not there is named', async () => {
  const store = openLeaseStore(connection, { namespace: 'nowhere', name: 'x' });
  assert.equal(await store.read(signal), undefined);
  await assert.rejects(store.write(held('a'), undefined, signal), {
    kind: 'stalled',
    message: /there is no namespace "nowhere".*--lease/,
  });
});

test('a server that takes the request and never answers is given up after five seconds', async () => {
  await using proxy = await startFaultProxy(cluster);
  await using slow = await connect({ kubeconfig: proxy.kubeconfig });
  proxy.add({ path: /leases/, action: { do: 'stall' } });
  const started = performance.now();
  await assert.rejects(openLeaseStore(slow, { namespace: 'default', name: 'x' }).read(signal), {
    kind: 'transient',
    code: 'CLUSTER_UNREACHABLE',
  });
  const ms = performance.now() - started;
  assert.ok(ms > 4900 && ms < 6500, `given up after ${ms} ms`);
});

test('an abort ends a request at once with its reason', async () => {
  await using proxy = await startFaultProxy(cluster);
  await using slow = await connect({ kubeconfig: proxy.kubeconfig });
  proxy.add({ path: /leases/, action: { do: 'stall' } });
  const abort = new AbortController();
  const asked = openLeaseStore(slow, { namespace: 'default', name: 'x' }).read(abort.signal);
  const reason = new Error('stopped');
  abort.abort(reason);
  await assert.rejects(asked, reason);
});

test("the Lease is kubekeeper's own in the namespace default outside of a pod, or the one that is named", () => {
  assert.deepEqual(leasePlace(undefined), { namespace: 'default', name: 'kubekeeper' });
  assert.deepEqual(leasePlace({ namespace: 'ops', name: 'x' }), { namespace: 'ops', name: 'x' });
});
