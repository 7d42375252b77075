import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { Quiescer } from '../../controller/core/data/quiesce.ts';
import type { SnapshotTarget } from '../../controller/data/engine.ts';
import { KeeperError } from '../../controller/errors.ts';
import { OUT_OF_SPACE } from '../node/faults.ts';
import { volumeSnapshot } from '../node/objects.ts';
import { missingForNode } from '../node/requirements.ts';
import { type DataWorld, methodsOf, startDataWorld, untilTrue } from './world.ts';

const skip = await missingForNode();

let world: DataWorld;
before(async () => {
  if (skip === false) world = await startDataWorld({ groupSnapshots: false });
});
after(() => world?.[Symbol.asyncDispose]());
afterEach(() => world?.node.node.faults.clear());

test('a commit names its snapshots, and its note has their handles, which survive the namespace', {
  skip,
}, async () => {
  const space = await world.space('shop', ['data', 'files']);
  await using process = await space.open();
  const { id, data } = await process.commit();
  assert.deepEqual(
    data.trailers.map(([key, value]) => `${key} ${value.replace(/[a-z0-9]{8}$/, 'RUN')}`),
    ['Snapshot data=kubekeeper-data-RUN', 'Snapshot files=kubekeeper-files-RUN'],
  );
  assert.deepEqual(process.states(id), ['data pending', 'files pending']);
  await process.settle();
  assert.deepEqual(process.states(id), ['data ready', 'files ready']);
  const handles = Object.values(process.note(id)?.claims ?? {}).map(({ handle }) => handle);
  assert.deepEqual(handles.sort(), await space.handles());
  const [decided] = process.told('snapshots-decided');
  assert.deepEqual([decided?.grade, decided?.ready, decided?.failed], ['crash-consistent', 2, 0]);

  await world.node.cluster.kubectl(['delete', 'namespace', 'shop', '--timeout=60s']);
  assert.deepEqual(await space.handles(), handles);
});

test('a snapshot whose namespace goes before it is ready is kept by its handle', { skip }, async () => {
  const space = await world.space('early', ['data']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'early/data', neverReady: true });
  await using process = await space.open();
  const { id } = await process.commit();
  await untilTrue('the handle in the note', () => process.note(id)?.claims?.['data']?.handle !== undefined);
  const deleted = world.node.cluster.kubectl(['delete', 'namespace', 'early', '--timeout=60s']);
  await untilTrue('the snapshot to be gone', async () => (await space.living('volumesnapshots')).length === 0);
  await world.node.node.faults.clear();
  await process.settle();
  await deleted;
  assert.deepEqual(process.states(id), ['data ready']);
  assert.equal((await space.handles()).length, 1);
  const contents = await world.node.cluster.kubectl(['get', 'volumesnapshotcontents', '-o', 'name']);
  assert.doesNotMatch(contents, /kubekeeper-look/);
});

test('ten commits in a minute make one snapshot, and all ten point at it', { skip }, async () => {
  const space = await world.space('burst', ['data']);
  await using process = await space.open();
  const { id, data } = await process.commit();
  await process.settle();
  for (let count = 1; count < 10; count++) {
    space.clock.ahead += 6000;
    const next = await process.commit();
    assert.deepEqual(next.data.trailers, [...data.trailers, ['Covered-By', id]]);
  }
  assert.equal((await space.stored()).length, 1);
  assert.deepEqual(process.due, []);

  space.clock.ahead += 15 * 60_000;
  const later = await process.commit();
  assert.equal(later.data.asked, 1);
  await process.settle();
  assert.equal((await space.stored()).length, 2);
});

test('when the interval ends after a burst, snapshots are due without another commit', { skip }, async () => {
  const space = await world.space('after', ['data']);
  await using process = await space.open({ policy: { minimumInterval: '3s' } });
  await process.commit();
  await process.settle();
  await process.commit();
  await untilTrue('snapshots to be due', () => process.due.length > 0, 10);
  assert.deepEqual(process.due, ['after']);
  assert.equal((await process.commit()).data.asked, 1);
  await process.settle();
});

test('a snapshot that never gets ready has failed at its deadline, is named, and leaves nothing behind', {
  skip,
}, async () => {
  const space = await world.space('never', ['data', 'logs']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'never/logs', neverReady: true });
  await using process = await space.open({ policy: { timeout: '3s' } });
  const { id } = await process.commit();
  await process.settle();
  assert.deepEqual(process.states(id), ['data ready', 'logs failed']);
  assert.match(process.note(id)?.claims?.['logs']?.why ?? '', /^not ready after 3 s/);
  assert.equal(process.told('snapshots-decided')[0]?.grade, 'partial');
  assert.deepEqual(
    (await space.stored()).map(({ claim }) => claim),
    ['never/data'],
  );
  assert.equal((await space.living('volumesnapshots')).length, 1);
});

test('a driver that fails one of three claims leaves the other two, and the words say which', { skip }, async () => {
  const space = await world.space('three', ['data', 'files', 'logs']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'three/logs', ...OUT_OF_SPACE });
  await using process = await space.open({ policy: { timeout: '4s' } });
  const { id } = await process.commit();
  await process.settle();
  assert.deepEqual(process.states(id), ['data ready', 'files ready', 'logs failed']);
  const [decided] = process.told('snapshots-decided');
  assert.match(
    decided?.words ?? '',
    /^partial: 2 of 3 claims \(logs: not ready after 4 s: .*no space left in the pool/,
  );
  assert.equal((await space.stored()).length, 2);
  // The snapshotter holds what it could not cut until its driver answers again.
  await world.node.node.faults.clear();
  await untilTrue('the third to be gone', async () => (await space.living('volumesnapshots')).length === 2);
  await untilTrue('the third to be gone', async () => (await space.stored()).length === 2);
});

test('a slow driver is waited for, and the others have their handles at once', { skip }, async () => {
  const space = await world.space('slow', ['data', 'logs']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'slow/logs', delayMs: 4000 });
  await using process = await space.open();
  const started = performance.now();
  const { id } = await process.commit();
  assert.ok(performance.now() - started < 2500, `the commit took ${performance.now() - started} ms`);
  await untilTrue('the first handle', () => process.states(id)[0] === 'data ready');
  assert.equal(process.states(id)[1], 'logs pending');
  await process.settle();
  assert.deepEqual(process.states(id), ['data ready', 'logs ready']);
});

test('a snapshot that somebody deletes before it has a handle is kept or has failed, as the note says', {
  skip,
}, async () => {
  const space = await world.space('person', ['data']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'person/data', code: 'UNAVAILABLE' });
  await using process = await space.open();
  const { id, data } = await process.commit();
  const name = (data.trailers[0] as readonly string[])[1]?.split('=')[1] as string;
  await world.node.cluster.kubectl(['delete', 'volumesnapshot', name, '-n', 'person', '--wait=false']);
  await world.node.node.faults.clear();
  await process.settle();
  const isReady = process.states(id)[0] === 'data ready';
  await untilTrue('the driver to agree', async () => (await space.stored()).length === (isReady ? 1 : 0));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal((await space.stored()).length, isReady ? 1 : 0);
});

test('claims without a class for snapshots are told once, noted, and asked for nothing', { skip }, async () => {
  const space = await world.space('plain', ['data'], { storageClass: 'plain' });
  await using process = await space.open();
  const { id, data } = await process.commit();
  assert.deepEqual([data.asked, data.trailers], [0, []]);
  assert.equal(process.note(id)?.skipped?.['data']?.kind, 'impossible');
  const second = await process.commit();
  assert.equal(process.note(second.id), undefined);
  assert.deepEqual(
    process.told('snapshots-impossible').map(({ claims, reasons }) => [claims, reasons]),
    [[1, 'data: no VolumeSnapshotClass for driver plain.test.kubekeeper.dev']],
  );
});

test('a namespace that is being deleted is asked for nothing', { skip }, async () => {
  const space = await world.space('leaving', ['data']);
  await world.node.runPod('leaving', 'holder', ['data']);
  await world.node.cluster.kubectl([
    'patch',
    'pod',
    'holder',
    '-n',
    'leaving',
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":["test.kubekeeper.dev/hold"]}}',
  ]);
  await world.node.cluster.kubectl(['delete', 'namespace', 'leaving', '--wait=false']);
  await using process = await space.open();
  const { data } = await process.commit();
  assert.deepEqual([data.asked, data.trailers], [0, []]);
  await world.node.cluster.kubectl([
    'patch',
    'pod',
    'holder',
    '-n',
    'leaving',
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":null}}',
  ]);
});

test('a quota that lets two of three through fails the third at once', { skip }, async () => {
  const space = await world.space('quota', ['one', 'three', 'two']);
  const quota = { 'count/volumesnapshots.snapshot.storage.k8s.io': '2' };
  await world.node.cluster.apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'few', namespace: 'quota' },
    spec: { hard: quota },
  });
  await world.node.cluster.kubectl([
    'wait',
    'resourcequota/few',
    '-n',
    'quota',
    `--for=jsonpath={.status.hard}`,
    '--timeout=30s',
  ]);
  await using process = await space.open();
  const { id, data } = await process.commit();
  assert.equal(data.trailers.length, 2);
  await process.settle();
  assert.deepEqual(
    process
      .states(id)
      .map((one) => one.split(' ')[1])
      .sort(),
    ['failed', 'ready', 'ready'],
  );
  const words = process.told('snapshots-decided')[0]?.words ?? '';
  assert.match(words, /the API server refused it: .*exceeded quota/);
});

test('hooks come before the snapshots, and are let go when every handle is there', { skip }, async () => {
  const space = await world.space('hooks', ['data', 'logs']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'hooks/logs', neverReady: true });
  const story: string[] = [];
  const quiescer: Quiescer = {
    hold: async (_namespace, { claims }) => {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      story.push(`held ${claims.join(' ')} with ${(await space.stored()).length} snapshots`);
      const release = async () => {
        story.push(`released with ${(await space.stored()).length} snapshots`);
        return { quiesced: true, problems: ['pod db-0: its post hook took long'] };
      };
      return { release, [Symbol.asyncDispose]: async () => void (await release()) };
    },
    recall: async () => [],
  };
  await using process = await space.open({ quiescer });
  const { id, data } = await process.commit();
  assert.deepEqual([data.trailers.length, story], [2, []]);
  await untilTrue('the hooks to be let go', () => story.length === 2);
  assert.deepEqual(story, ['held data logs with 0 snapshots', 'released with 2 snapshots']);
  assert.equal(process.states(id)[1], 'logs pending');
  await world.node.node.faults.clear();
  await process.settle();
  assert.equal(process.told('snapshots-decided')[0]?.grade, 'quiesced');
  assert.deepEqual(process.note(id)?.problems, ['pod db-0: its post hook took long']);
});

test('an archive that ends with hooks held lets them go', { skip }, async () => {
  const space = await world.space('held', ['data']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'held/data', delayMs: 20_000 });
  let isReleased = false;
  const release = async () => {
    isReleased = true;
    return { quiesced: true, problems: [] };
  };
  const hold = { release, [Symbol.asyncDispose]: async () => void (await release()) };
  const process = await space.open({ quiescer: { hold: async () => hold, recall: async () => [] } });
  await process.commit();
  assert.equal(isReleased, false);
  await process[Symbol.asyncDispose]();
  assert.equal(isReleased, true);
});

test('a cluster that does not answer costs the commit two seconds, and its snapshots are due later', {
  skip,
}, async () => {
  const space = await world.space('silent', ['data']);
  let isSilent = true;
  const target: SnapshotTarget = {
    ...methodsOf(world.target),
    list: (resource, where, signal) =>
      isSilent
        ? new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))
        : world.target.list(resource, where, signal),
  };
  await using process = await space.open({ target });
  const started = performance.now();
  const { data } = await process.commit();
  const ms = performance.now() - started;
  assert.ok(ms > 1900 && ms < 3500, `it took ${ms} ms`);
  assert.equal(data.asked, 0);
  assert.deepEqual(
    process.told('snapshots-failed').map(({ doing, code }) => `${doing} ${code}`),
    ['ask CLUSTER_BUSY'],
  );
  isSilent = false;
  await untilTrue('snapshots to be due', () => process.due.length > 0, 10);
  assert.equal((await process.commit()).data.asked, 1);
  await process.settle();
});

test('while the cluster is away nothing is decided, and it goes on when the cluster is back', { skip }, async () => {
  const space = await world.space('away', ['data']);
  await world.node.node.faults.set({ call: 'CreateSnapshot', claim: 'away/data', delayMs: 1500 });
  let isAway = false;
  const away = () =>
    Promise.reject(new KeeperError('The cluster is away', { kind: 'transient', code: 'CLUSTER_UNREACHABLE' }));
  const target: SnapshotTarget = {
    ...methodsOf(world.target),
    list: (...asked) => (isAway ? away() : world.target.list(...asked)),
    get: (...asked) => (isAway ? away() : world.target.get(...asked)),
  };
  await using process = await space.open({ target, policy: { timeout: '3s' } });
  const { id } = await process.commit();
  isAway = true;
  await untilTrue('it to be told', () => process.told('snapshots-failed').length >= 2);
  assert.deepEqual(process.states(id), ['data pending']);
  // Longer than the deadline: by then the driver was done all the same.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  isAway = false;
  await process.settle();
  assert.deepEqual(process.states(id), ['data ready']);
});

test('twenty claims have their handles as fast as kubectl can ask for them', { skip }, async (context) => {
  const claims = Array.from({ length: 20 }, (_, index) => `claim-${String(index).padStart(2, '0')}`);
  const space = await world.space('many', claims);
  const byHand = async () => {
    const names = claims.map((claim) => `by-hand-${claim}`);
    const file = join(await mkdtemp(join(tmpdir(), 'kubekeeper-twenty-')), 'twenty.json');
    const items = claims.map((claim, index) => volumeSnapshot('many', names[index] as string, claim));
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const started = performance.now();
    await world.node.cluster.kubectl(['create', '-f', file]);
    const created = performance.now() - started;
    await untilTrue('all handles', async () => (await space.stored()).length === claims.length);
    const handles = performance.now() - started;
    await rm(dirname(file), { recursive: true });
    await world.node.cluster.kubectl(['delete', 'volumesnapshots', '-n', 'many', ...names]);
    await untilTrue('all to be gone', async () => (await space.stored()).length === 0);
    return { created, handles };
  };
  await byHand();
  const hand = await byHand();
  await using process = await space.open();
  const started = performance.now();
  const data = await process.volumes.beforeCommit('many', { isForced: false });
  const planned = performance.now() - started;
  const id = await process.commitOnly(data);
  await data.committed(id);
  await process.settle();
  const { handlesMs = Number.NaN } = process.told('snapshots-decided')[0] ?? {};
  const told = { ...hand, planned, handlesMs, wholeMs: performance.now() - started };
  context.diagnostic(JSON.stringify(told, (_, value) => (typeof value === 'number' ? Math.round(value) : value)));
  assert.equal((await space.stored()).length, 20);
  assert.ok(handlesMs < 2 * hand.handles + 500, `${handlesMs} ms against ${hand.handles} ms`);
});
