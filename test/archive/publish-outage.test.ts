import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { commitsBetween } from '../../controller/git/ancestry.ts';
import { scriptedWorld } from './publish-world.ts';
import { failure, unreachable } from './scripted-remotes.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MAIN = 'refs/heads/main';
/** KUBEKEEPER_COMMITS=10000 for the long form: each is a real commit on the disk. */
const COMMITS = Number(process.env['KUBEKEEPER_COMMITS'] ?? 1000);

test('what is committed is at the remote at once, and the next commit too', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  const refs = remotes.create('shop');
  world.publisher.start([]);
  const first = await world.commit('shop');
  await time.settle();
  assert.equal(refs.get(MAIN), first);
  const second = await world.commit('shop');
  await time.settle();
  assert.equal(refs.get(MAIN), second);
  assert.deepEqual(
    world.of('pushed').map(({ id, commits, url }) => [id, commits, url]),
    [first, second].map((id) => [id, 1, 'https://git.example/ops/prod-shop.git']),
  );
  assert.equal(world.repositories.get('shop')?.ref('refs/remotes/origin/main'), second);
  assert.deepEqual(world.publisher.backlog, { repositories: 0, oldestMs: 0, oldestRepository: '' });
});

test('what is committed while a push runs goes with the next one', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  const refs = remotes.create('shop');
  world.publisher.start([]);
  await world.commit('shop');
  remotes.fault = (_name, doing) => (doing === 'push' ? 'hang' : undefined);
  await time.settle();
  const second = await world.commit('shop');
  assert.equal(remotes.pushes.length, 0);
  remotes.fault = () => undefined;
  await time.advance(31 * MINUTE);
  assert.equal(refs.get(MAIN), second);
  assert.equal(remotes.pushes.length, 1);
});

test(`a day without the remote: ${COMMITS} commits arrive after it, in order, within five minutes`, async (context) => {
  const { time, remotes, world } = scriptedWorld({ random: Math.random });
  await using _world = world;
  const names = ['one', 'two', 'three', 'four'];
  for (const name of names) remotes.create(name);
  world.publisher.start([]);
  remotes.fault = () => unreachable();
  const order = new Map<string, string[]>(names.map((name) => [name, []]));
  const began = performance.now();
  for (let nr = 0; nr < COMMITS; nr++) {
    const name = names[nr % names.length] as string;
    order.get(name)?.push(await world.commit(name));
    await time.advance((24 * HOUR) / COMMITS);
  }
  assert.equal(remotes.pushes.length, 0);
  const tries = [...remotes.looks.values()].reduce((sum, one) => sum + one, 0);
  remotes.fault = () => undefined;
  const isDone = () => names.every((name) => remotes.repositories.get(name)?.get(MAIN) === order.get(name)?.at(-1));
  const afterMs = await time.advanceUntil('everything', isDone, 5 * MINUTE);
  for (const name of names) {
    const pushed = world.of('pushed', name);
    assert.deepEqual(
      pushed.map(({ commits }) => commits),
      [COMMITS / names.length],
      'all of a day goes in one push',
    );
    const { store } = world.repositories.get(name) ?? assert.fail();
    const line = [...commitsBetween(store, undefined, pushed[0]?.id ?? '')];
    assert.deepEqual(line.map(({ id }) => id).toReversed(), order.get(name));
  }
  // Words about a day, not one for every try.
  assert.equal(world.of('push-failed').length, names.length);
  assert.ok(world.of('unpushed').length >= 90 && world.of('unpushed').length <= 97);
  context.diagnostic(
    `${tries} tries in the day, everything there ${Math.round(afterMs / 1000)} s after it; ${Math.round(performance.now() - began)} ms`,
  );
});

test('memory does not grow with the outage: a million commits later it is what it was', async (context) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  remotes.create('shop');
  remotes.fault = () => unreachable();
  world.publisher.start([]);
  await world.commit('shop');
  const mark = async (count: number) => {
    for (let nr = 0; nr < count; nr++) world.publisher.mark('shop');
    await time.advance(HOUR);
  };
  await mark(100_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let hour = 0; hour < 10; hour++) await mark(100_000);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  context.diagnostic(`${Math.round(grown / 1024)} KiB more after 1,000,000 commits`);
  assert.ok(grown < 512 * 1024, `${grown} bytes`);
});

test('while the server is away, 500 repositories share one probe at a time', async (context) => {
  const { time, remotes, world } = scriptedWorld({ random: Math.random });
  await using _world = world;
  const names = Array.from({ length: 500 }, (_, index) => `ns-${index}`);
  await world.commit('ns-0');
  const repository = world.repositories.get('ns-0') ?? assert.fail();
  for (const name of names) world.repositories.set(name, repository);
  for (const name of names) remotes.create(name);
  remotes.fault = () => 'hang';
  world.publisher.start([]);
  for (const name of names) world.publisher.mark(name);
  await time.advance(2 * HOUR);
  context.diagnostic(`at most ${remotes.mostRunning} tries at once`);
  assert.ok(remotes.mostRunning <= 8 + 24 + 1, `${remotes.mostRunning} at once`);
  remotes.mostRunning = remotes.running;
  const looks = () => [...remotes.looks.values()].reduce((sum, one) => sum + one, 0);
  const before = looks();
  await time.advance(HOUR);
  assert.equal(remotes.mostRunning, 1);
  assert.ok(looks() - before <= 60, `${looks() - before} probes in an hour`);
  for (const name of names.slice(1)) world.repositories.delete(name);
});

test('200 repositories are all pushed within five minutes after the server came back', async (context) => {
  const { time, remotes, world } = scriptedWorld({ random: Math.random });
  await using _world = world;
  const names = Array.from({ length: 200 }, (_, index) => `ns-${index}`);
  for (const name of names) remotes.create(name);
  remotes.fault = () => unreachable('connection refused');
  world.publisher.start([]);
  for (const name of names) await world.commit(name);
  await time.advance(6 * HOUR);
  remotes.fault = () => undefined;
  const isDone = () => names.every((name) => remotes.repositories.get(name)?.has(MAIN));
  const afterMs = await time.advanceUntil('all of them', isDone, 5 * MINUTE);
  context.diagnostic(`all 200 after ${Math.round(afterMs / 100) / 10} s`);
  assert.ok(afterMs <= 60_000, 'a probe every half minute finds it out, and then nobody waits');
});

test('one repository alone is pushed within five minutes after an outage of hours', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  const refs = remotes.create('shop');
  remotes.fault = () => unreachable();
  world.publisher.start([]);
  await world.commit('shop');
  await time.advance(6 * HOUR + 1);
  remotes.fault = () => undefined;
  await time.advanceUntil('the push', () => refs.has(MAIN), 5 * MINUTE);
});

test('a healthy repository is pushed within seconds while 20 others hang', async (context) => {
  const { time, remotes, world } = scriptedWorld({ random: Math.random });
  await using _world = world;
  const hanging = Array.from({ length: 20 }, (_, index) => `hangs-${index}`);
  for (const name of [...hanging, 'healthy']) remotes.create(name);
  remotes.fault = (name) => (name === 'healthy' ? undefined : 'hang');
  world.publisher.start([]);
  for (const name of hanging) await world.commit(name);
  let worst = 0;
  for (let round = 0; round < 60; round++) {
    const id = await world.commit('healthy');
    const isThere = () => remotes.repositories.get('healthy')?.get(MAIN) === id;
    worst = Math.max(worst, await time.advanceUntil('the healthy one', isThere, 30_000));
    await time.advance(20_000);
  }
  context.diagnostic(`at most ${worst} ms`);
  assert.ok(worst <= 9000, `${worst} ms`);
});

test('what belongs to one repository holds up no other and is no outage', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  const faults = new Map([
    ['hook', failure('REMOTE_REFUSED', 'stalled', 'a hook says no')],
    ['full', failure('REMOTE_REFUSED', 'transient', 'no space left')],
    ['denied', failure('REMOTE_CREDENTIALS_REFUSED', 'stalled', 'not yours')],
    ['moved', failure('REMOTE_REDIRECTED', 'stalled', 'elsewhere')],
  ]);
  for (const name of [...faults.keys(), 'healthy']) remotes.create(name);
  remotes.fault = (name, doing) => (doing === 'push' ? faults.get(name) : undefined);
  world.publisher.start([]);
  for (const name of [...faults.keys(), 'absent', 'healthy']) await world.commit(name);
  await time.settle();
  assert.deepEqual(
    world.of('pushed').map(({ repository }) => repository),
    ['healthy'],
  );
  const stalls = world.of('stalled').map(({ repository, reason }) => [repository, reason]);
  assert.deepEqual(
    new Map(stalls as [string, string][]),
    new Map([
      ['hook', 'RemoteRefused'],
      ['denied', 'CredentialsRefused'],
      ['moved', 'RemoteUntrusted'],
      ['absent', 'RemoteGone'],
    ]),
  );
  remotes.create('absent');
  faults.clear();
  await time.advance(MINUTE);
  assert.equal(world.of('pushed').length, 6, 'all of them within a minute after the fault');
  assert.deepEqual(
    world
      .of('resumed')
      .map(({ repository }) => repository)
      .sort(),
    ['absent', 'denied', 'hook', 'moved'],
  );
});

test('Retry-After is obeyed, also when another repository gets through', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  const slow = remotes.create('slow');
  remotes.create('other');
  remotes.fault = (name) => unreachable('busy', name === 'slow' ? 20 * MINUTE : 1000);
  world.publisher.start([]);
  await world.commit('slow');
  await world.commit('other');
  await time.settle();
  remotes.fault = () => undefined;
  await time.advance(19 * MINUTE);
  assert.equal(remotes.repositories.get('other')?.size, 1);
  assert.equal(remotes.looks.get('slow'), 1);
  await time.advance(2 * MINUTE);
  assert.ok(slow.has(MAIN));
});

test('credentials that are refused are told once, tried again every minute by one of all, and resume by themselves', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  const names = Array.from({ length: 50 }, (_, index) => `ns-${index}`);
  for (const name of names) remotes.create(name);
  remotes.fault = () => failure('REMOTE_CREDENTIALS_REFUSED', 'stalled', 'the token was refused');
  world.publisher.start([]);
  for (const name of names) await world.commit(name);
  await time.settle();
  assert.equal(world.of('stalled').length, 50);
  const looks = () => [...remotes.looks.values()].reduce((sum, one) => sum + one, 0);
  const before = looks();
  await time.advance(10 * MINUTE);
  assert.ok(looks() - before <= 11, `${looks() - before} tries in ten minutes`);
  assert.equal(world.of('stalled').length, 50);
  remotes.fault = () => undefined;
  await time.advance(MINUTE + 1000);
  assert.equal(world.of('resumed').length, 50);
  assert.ok(names.every((name) => remotes.repositories.get(name)?.has(MAIN)));
});

test('how old the oldest commit is that waits is told after 15 minutes and every 15, by a clock that cannot jump', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  for (const name of ['shop', 'cart']) remotes.create(name);
  remotes.fault = () => unreachable();
  world.publisher.start([]);
  await world.commit('shop');
  await time.advance(5 * MINUTE);
  await world.commit('cart');
  time.wallOffset += 24 * HOUR;
  await time.advance(9 * MINUTE);
  assert.deepEqual(world.of('unpushed'), []);
  await time.advance(HOUR);
  const told = world
    .of('unpushed')
    .map(({ repositories, oldestMs, oldestRepository }) => [
      repositories,
      Math.round(oldestMs / MINUTE),
      oldestRepository,
    ]);
  assert.deepEqual(
    told,
    [15, 30, 45, 60].map((minutes) => [2, minutes, 'shop']),
  );
  assert.equal(Math.round(world.publisher.backlog.oldestMs / MINUTE), 74);
});

test('after a restart the age of what waits is that of its commits, without asking the remote', async () => {
  const { remotes, world } = scriptedWorld();
  await using _world = world;
  remotes.create('shop');
  world.publisher.start([]);
  await world.commit('shop');
  const { time: later, remotes: away, world: next } = scriptedWorld();
  await using _next = next;
  away.fault = () => unreachable();
  next.repositories.set('shop', world.repositories.get('shop') ?? assert.fail());
  // Two commits of the real clock, three hours before the scripted one.
  await world.commit('shop');
  later.wallOffset = Date.now() + 3 * HOUR - later.monotonic();
  next.publisher.start(['shop']);
  const { repositories, oldestMs } = next.publisher.backlog;
  assert.deepEqual([repositories, Math.round(oldestMs / MINUTE)], [1, 180]);
  await later.advance(30_000);
  assert.deepEqual(next.of('unpushed'), [], 'it gets a minute first');
  await later.advance(31_000);
  assert.equal(next.of('unpushed').length, 1);
  next.repositories.clear();
});

test('a failure is told once, and again when it is another one', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  remotes.create('shop');
  remotes.fault = () => unreachable('connection to port 4711 refused');
  world.publisher.start([]);
  await world.commit('shop');
  await time.advance(10 * MINUTE);
  remotes.fault = () => unreachable('connection to port 4712 refused');
  await time.advance(10 * MINUTE);
  remotes.fault = () => unreachable('no route to it');
  await time.advance(10 * MINUTE);
  assert.deepEqual(
    world.of('push-failed').map(({ reason, code }) => [reason, code]),
    [
      ['connection to port 4711 refused', 'REMOTE_UNREACHABLE'],
      ['no route to it', 'REMOTE_UNREACHABLE'],
    ],
  );
});

test('who may write no more pushes nothing and ends the run', async () => {
  const lost = failure('LEADERSHIP_LOST', 'transient');
  const { time, remotes, world } = scriptedWorld({
    guard: async () => {
      throw lost;
    },
  });
  await using _world = world;
  remotes.create('shop');
  world.publisher.start([]);
  await world.commit('shop');
  await time.settle();
  assert.deepEqual(world.failures, [lost]);
  assert.deepEqual(remotes.pushes, []);
});

test('a defect in a try ends the run instead of being tried again for ever', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  remotes.create('shop');
  remotes.state = async () => {
    throw new TypeError('a mistake of ours');
  };
  world.publisher.start([]);
  await world.commit('shop');
  await time.settle();
  assert.equal(world.failures.length, 1);
});

test('a repository that is let go of is not touched until it is admitted again, and then from nothing', async () => {
  const { time, remotes, world } = scriptedWorld();
  await using _world = world;
  const refs = remotes.create('shop');
  const idle = remotes.create('cart');
  world.publisher.start([]);
  const pushed = await world.commit('cart');
  await time.settle();
  remotes.fault = () => 'hang';
  await world.commit('shop');
  await time.settle();
  assert.equal(remotes.hanging, 1);
  await world.publisher.release('shop');
  await world.publisher.release('cart');
  assert.equal(remotes.running, 0, 'what was under way is cut');
  remotes.fault = () => undefined;
  const second = await world.commit('shop');
  await world.commit('cart');
  await time.advance(HOUR);
  assert.deepEqual([refs.size, idle.get(MAIN)], [0, pushed]);
  world.publisher.admit('shop');
  await time.settle();
  assert.equal(refs.get(MAIN), second);
  assert.deepEqual(world.of('push-failed'), []);
});
