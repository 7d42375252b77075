import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRepository } from '../../controller/git/repository.ts';
import type { PublishWorld } from '../archive/publish-world.ts';
import { RealWorld } from '../archive/real-remotes.ts';

/** A start on an empty disk, or on one that is behind: the history at the remote goes on, and nobody begins a second one. */

const MAIN = 'refs/heads/main';

/** Three commits, a tag and a note of ours at the remote. */
async function pushed(): Promise<{ real: RealWorld; ids: string[] }> {
  const real = await RealWorld.start();
  const { world } = real;
  world.publisher.start([]);
  const ids = [await world.commit('shop'), await world.commit('shop')];
  const by = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };
  const repository = real.repository();
  await repository.tag('good/one', { target: ids[0] ?? '', message: 'known good\n', tagger: by, time: new Date() });
  await repository.note(ids[0] ?? '', 'data: ready\n', { author: by, time: new Date() });
  ids.push(await world.commit('shop'));
  await world.until('all', (outcome) => outcome.type === 'pushed' && outcome.id === ids[2]);
  return { real, ids };
}

/** As the archive opens a repository. */
async function openAdopted(real: RealWorld, world: PublishWorld, name = 'shop') {
  const repository = await world.open(name);
  await real.adoption(world).adopt(name, repository);
  return repository;
}

test('a lost disk: the history, its tags and notes are taken over, and the next commit goes on from there', async () => {
  const { real, ids } = await pushed();
  await using _real = real;
  await using next = real.another();
  const repository = await openAdopted(real, next);
  assert.equal(repository.head, ids[2]);
  assert.deepEqual(next.of('adopted'), [{ type: 'adopted', repository: 'shop', id: ids[2], commits: 3 }]);
  assert.equal(repository.readNote(ids[0] ?? ''), 'data: ready\n');
  assert.ok(repository.ref('refs/tags/good/one'));
  assert.ok((await repository.readFile('configmaps/app.json'))?.toString().includes('change'));
  next.publisher.start(['shop']);
  const fourth = await next.commit('shop');
  await next.until('the next', (outcome) => outcome.type === 'pushed' && outcome.id === fourth);
  assert.equal(real.ref('shop', MAIN), fourth);
  assert.equal(real.git('shop', 'rev-list', '--count', 'main'), '4');
  assert.deepEqual([next.of('stalled'), next.of('push-failed')], [[], []]);
  real.fsck('shop');
});

test('a disk that is behind moves forward to what this archive pushed', async () => {
  const { real, ids } = await pushed();
  await using _real = real;
  await using next = real.another();
  const before = await next.open('shop');
  await before[Symbol.asyncDispose]();
  rmSync(join(next.directory, 'shop.git'), { recursive: true });
  real.git('shop', 'clone', '--quiet', '--bare', '.', join(next.directory, 'shop.git'));
  real.git('shop', '--git-dir', join(next.directory, 'shop.git'), 'update-ref', MAIN, ids[0] ?? '');
  const repository = await openAdopted(real, next);
  assert.equal(repository.head, ids[2]);
  assert.deepEqual(
    next.of('adopted').map(({ commits }) => commits),
    [2],
  );
});

test('what somebody else put there is not taken over: not a project of theirs, and not a commit on top of ours', async () => {
  const { real, ids } = await pushed();
  await using _real = real;
  using ada = await real.clone('shop');
  await ada.commit('by hand', { 'notes.txt': 'hello\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  await using next = real.another();
  const repository = await openAdopted(real, next);
  assert.equal(repository.head, undefined);
  assert.deepEqual(next.of('adopted'), []);
  // Ours alone is taken over again once a person has decided.
  await ada.git('push', '--quiet', '--force', 'origin', `${ids[2]}:main`);
  await real.adoption(next).adopt('shop', repository);
  assert.equal(repository.head, ids[2]);
});

test('an archive of another cluster is not taken over', async () => {
  const { real } = await pushed();
  await using _real = real;
  await using next = real.another({ clusterId: 'another' });
  const repository = await next.open('shop');
  const { Adoption } = await import('../../controller/archive/publish-adopt.ts');
  const { systemTimer } = await import('../../controller/archive/publish-timer.ts');
  const { systemClock } = await import('../../controller/system-clock.ts');
  const adoption = new Adoption(
    {
      port: real.port,
      random: Math.random,
      clusterId: 'another',
      cluster: 'prod',
      clock: systemClock,
      timer: systemTimer,
      report: (outcome) => next.report(outcome),
    },
    new AbortController().signal,
  );
  await adoption.adopt('shop', repository);
  assert.equal(repository.head, undefined);
});

test('a lost disk while the remote is away: archiving begins, and later both lines are joined without a person', async () => {
  const { real, ids } = await pushed();
  await using _real = real;
  await real.server.stop();
  await using next = real.another();
  next.publisher.start([]);
  const first = await next.commit('shop');
  await next.until('a failure', (outcome) => outcome.type === 'push-failed');
  await real.server.start();
  await next.until('the push', (outcome) => outcome.type === 'pushed');
  const main = real.ref('shop', MAIN);
  assert.equal(main, next.repositories.get('shop')?.head);
  assert.deepEqual(real.git('shop', 'log', '-1', '--format=%P', 'main').split(' '), [first, ids[2]]);
  assert.deepEqual([next.of('stalled'), next.of('committed').length], [[], 1]);
  real.fsck('shop');
});

test('a second writer of the same cluster is not joined for ever: a person is told', async () => {
  const { real } = await pushed();
  await using _real = real;
  await using next = real.another();
  await openAdopted(real, next);
  next.publisher.start(['shop']);
  const other = await next.commit('shop');
  await next.until('the other', (outcome) => outcome.type === 'pushed' && outcome.id === other);
  // The first one is still alive and knows nothing of it.
  await real.world.commit('shop');
  const stalled = await real.world.until('the stall', (outcome) => outcome.type === 'stalled');
  assert.ok(stalled.type === 'stalled' && stalled.reason === 'RemoteDiverged');
  assert.match(stalled.message, /1 commit by kubekeeper/);
  assert.match(stalled.message, /another kubekeeper archives this cluster to it, stop one of them/);
  assert.equal(real.ref('shop', MAIN), other);
});

test('killed between the fetch and the adoption, the next start takes the history over all the same', async () => {
  const { real, ids } = await pushed();
  await using _real = real;
  await using next = real.another();
  const repository = await next.open('shop');
  const place = real.port.place('shop');
  await real.port.fetch(repository, place, [ids[2] ?? ''], new AbortController().signal);
  // As after kill -9: nothing was closed.
  const reopened = await openRepository(repository.directory);
  next.repositories.set('shop', reopened);
  await real.adoption(next).adopt('shop', reopened);
  assert.equal(reopened.head, ids[2]);
});

test('a remote that does not answer holds up a start for a minute in all, however many repositories there are', async () => {
  const { scriptedWorld } = await import('../archive/publish-world.ts');
  const { Adoption } = await import('../../controller/archive/publish-adopt.ts');
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  remotes.fault = () => 'hang';
  const parts = { port: remotes, random: () => 0.5, clusterId: 'c', cluster: 'prod', clock: time, timer: time };
  const adoption = new Adoption({ ...parts, report: () => undefined }, new AbortController().signal);
  const began = time.monotonic();
  let open = 200;
  const asked = (async () => {
    const { sideBySide } = await import('../../controller/core/streams.ts');
    const names = Array.from({ length: 200 }, (_, index) => `ns-${index}`);
    await sideBySide(names, 8, async (name) => {
      assert.equal(await adoption.hasHistory(name), false);
      open--;
    });
  })();
  time.settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await time.advanceUntil('all of them', () => open === 0, 10 * 60_000);
  await asked;
  assert.ok(time.monotonic() - began <= 65_000, `${time.monotonic() - began} ms`);
});
