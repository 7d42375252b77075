import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Outcome } from '../../controller/core/outcome.ts';
import { hurried, RealWorld, SHORT } from '../archive/real-remotes.ts';
import { rotating, token } from '../remote/remotes.ts';

/** What a remote can do to us: whatever it is, everything arrives afterwards, in order, and nobody else is held up. */

const MAIN = 'refs/heads/main';

interface Fault {
  readonly name: string;
  begin(real: RealWorld): void | Promise<void>;
  end(real: RealWorld): void | Promise<void>;
}

const FAULTS: readonly Fault[] = [
  { name: 'refuses connections', begin: ({ server }) => server.stop(), end: ({ server }) => server.start() },
  {
    name: 'accepts connections and says nothing',
    begin: async ({ server }) => {
      // What is connected already is answered still.
      await server.stop();
      server.mute();
      await server.start();
    },
    end: ({ server }) => server.unmute(),
  },
  {
    name: 'hangs after the request',
    begin: ({ server }) => void server.add({ do: 'hang' }, { method: 'POST' }),
    end: ({ server }) => server.clear(),
  },
  {
    name: 'answers 500',
    begin: ({ server }) => void server.add({ do: 'status', status: 500 }),
    end: ({ server }) => server.clear(),
  },
  {
    name: 'cuts the connection in the middle of the pack',
    begin: ({ server }) => void server.add({ do: 'cut-request', afterBytes: 100_000 }, { method: 'POST' }),
    end: ({ server }) => server.clear(),
  },
  {
    name: 'takes the pack and cuts its answer',
    begin: ({ server }) => void server.add({ do: 'cut-response', afterBytes: 0 }, { method: 'POST' }),
    end: ({ server }) => server.clear(),
  },
  {
    name: 'has no space',
    begin: ({ server }) => void server.add({ do: 'no-space' }, { method: 'POST' }),
    end: ({ server }) => server.clear(),
  },
];

for (const fault of FAULTS) {
  test(`a remote that ${fault.name}: what was committed meanwhile arrives afterwards, in order`, async (context) => {
    await using real = await RealWorld.start({ limits: SHORT, repositories: ['shop', 'cart'] });
    const { world } = real;
    world.publisher.start([]);
    const order = [await world.commit('shop')];
    await world.until('the first', (outcome) => outcome.type === 'pushed');
    await fault.begin(real);
    // Larger than what any buffer on the way takes.
    for (let nr = 0; nr < 5; nr++) order.push(await world.commit('shop', randomBytes(100_000).toString('hex')));
    await world.commit('cart', randomBytes(500_000).toString('hex'));
    await world.until('a failure', (outcome) => outcome.type === 'push-failed' && outcome.repository === 'shop');
    for (let nr = 0; nr < 5; nr++) order.push(await world.commit('shop'));
    await fault.end(real);
    await arrival(real, context, ['shop', 'cart']);
    assert.deepEqual(real.git('shop', 'rev-list', '--first-parent', '--reverse', 'main').split('\n'), order);
    real.fsck('shop');
    real.fsck('cart');
    assert.deepEqual(world.of('stalled'), []);
  });
}

/** All of ours is there; says how long that took. */
async function arrival(real: RealWorld, context: TestContext, names: readonly string[]): Promise<void> {
  const began = performance.now();
  for (const name of names) {
    const { head } = real.repository(name);
    await real.world.until(
      name,
      (outcome) => outcome.type === 'pushed' && outcome.repository === name && outcome.id === head,
    );
    assert.equal(real.ref(name, MAIN), head);
  }
  context.diagnostic(`there ${Math.round(performance.now() - began)} ms after the fault, with a minute in a second`);
}

test('a remote that wants new credentials: Stalled until they are there, then it goes on by itself', async () => {
  const secret = 'kk-renewed-token';
  const credentials = { now: token('kk-old-token'), get: async () => credentials.now };
  await using real = await RealWorld.start({ credentials, server: { auth: { token: 'kk-old-token' } } });
  const { world, server } = real;
  world.publisher.start([]);
  await world.commit('shop');
  await world.until('the first', (outcome) => outcome.type === 'pushed');
  server.auth = { token: secret };
  const second = await world.commit('shop');
  const stalled = await world.until('the stall', (outcome) => outcome.type === 'stalled');
  assert.ok(stalled.type === 'stalled' && stalled.reason === 'CredentialsRefused');
  await world.commit('shop');
  credentials.now = token(secret);
  await world.until('it to go on', (outcome) => outcome.type === 'resumed');
  assert.equal(real.ref('shop', MAIN), real.repository().head);
  assert.equal(real.git('shop', 'rev-parse', 'main~1'), second);
  assert.doesNotMatch(JSON.stringify(world.outcomes), /kk-old-token|kk-renewed-token/);
});

test('credentials that were rotated in time cost one renewal and no failure', async () => {
  const credentials = rotating(token('first'), token('second'));
  await using real = await RealWorld.start({ credentials, server: { auth: { token: 'first' } } });
  const { world, server } = real;
  world.publisher.start([]);
  await world.commit('shop');
  await world.until('the first', (outcome) => outcome.type === 'pushed');
  server.auth = { token: 'second' };
  const second = await world.commit('shop');
  await world.until('the second', (outcome) => outcome.type === 'pushed' && outcome.id === second);
  assert.deepEqual([world.of('stalled'), world.of('push-failed'), credentials.renewals], [[], [], 1]);
});

test('20 repositories whose remotes hang do not hold up a healthy one', async (context) => {
  const hanging = Array.from({ length: 20 }, (_, index) => `hangs-${index}`);
  await using real = await RealWorld.start({
    repositories: [...hanging, 'healthy'],
    // In real time: a try is given up after 60 s.
    parts: hurried(1),
  });
  const { world, server } = real;
  server.add({ do: 'hang' }, { path: /hangs-/ });
  world.publisher.start([]);
  for (const name of hanging) await world.commit(name);
  const latencies: number[] = [];
  for (let round = 0; round < 10; round++) {
    const began = performance.now();
    const id = await world.commit('healthy');
    await world.until('the healthy one', (outcome) => outcome.type === 'pushed' && outcome.id === id);
    latencies.push(performance.now() - began);
  }
  latencies.sort((left, right) => left - right);
  context.diagnostic(`median ${Math.round(latencies[5] ?? 0)} ms, worst ${Math.round(latencies[9] ?? 0)} ms`);
  assert.ok((latencies[9] ?? 0) < 12_000);
  assert.deepEqual(
    world.of('pushed').filter(({ repository }) => repository !== 'healthy'),
    [],
  );
});

test('a repository that does not exist is made by the forge, pushed and protected; another that was there is left alone', async () => {
  const asked: string[] = [];
  await using real = await RealWorld.start({
    repositories: ['cart'],
    forge: (server) => ({
      kind: 'gitea',
      create: async ({ owner, name }) => {
        asked.push(`create ${name}`);
        server.createRepository(`${owner}/${name}`);
        return 'created';
      },
      protect: async ({ name }) => {
        // Rules are for a branch: it must be there.
        asked.push(`protect ${server.git(`ops/${name}`, 'rev-list', '--count', 'main').trim()}`);
        return true;
      },
    }),
  });
  const { world } = real;
  world.publisher.start([]);
  await world.commit('shop');
  await world.commit('cart');
  await world.until('the new one', (outcome) => outcome.type === 'remote-created');
  assert.deepEqual(asked, ['create prod-shop', 'protect 1']);
  assert.deepEqual(
    world.of('remote-created').map(({ repository, isProtected }) => [repository, isProtected]),
    [['shop', true]],
  );
  await world.commit('shop');
  await world.until('the next', (outcome) => outcome.type === 'pushed' && outcome.id === real.repository().head);
  assert.equal(asked.length, 2);
});

test('a repository that does not exist and that nobody makes: Stalled with what to do; once a person made it, it goes on', async () => {
  await using real = await RealWorld.start({ repositories: [] });
  const { world } = real;
  world.publisher.start([]);
  const first = await world.commit('shop');
  const stalled = await world.until('the stall', (outcome: Outcome) => outcome.type === 'stalled');
  assert.ok(stalled.type === 'stalled' && stalled.reason === 'RemoteGone');
  assert.match(stalled.message, /create it empty/);
  real.server.createRepository('ops/prod-shop');
  await world.until('it to go on', (outcome) => outcome.type === 'resumed');
  assert.equal(real.ref('shop', MAIN), first);
});

test('a hook that refuses a push: Stalled with the words of the hook; once it is content, everything arrives', async () => {
  await using real = await RealWorld.start({ repositories: [] });
  const { world, server } = real;
  server.createRepository('ops/prod-shop', {
    hooks: { 'pre-receive': 'test -e allowed || { echo "ask Ada first" >&2; exit 1; }' },
  });
  world.publisher.start([]);
  await world.commit('shop');
  const stalled = await world.until('the stall', (outcome: Outcome) => outcome.type === 'stalled');
  assert.ok(stalled.type === 'stalled' && stalled.reason === 'RemoteRefused');
  assert.match(stalled.message, /ask Ada first/);
  const second = await world.commit('shop');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${server.directory}/ops/prod-shop.git/allowed`, '');
  await world.until('it to go on', (outcome) => outcome.type === 'resumed');
  assert.equal(real.ref('shop', MAIN), second);
});

test('200 repositories with a commit each, pushed side by side', async (context) => {
  const names = Array.from({ length: 200 }, (_, index) => `ns-${index}`);
  await using real = await RealWorld.start({ repositories: names, parts: hurried(1) });
  const { world } = real;
  for (const name of names) await world.commit(name);
  const began = performance.now();
  world.publisher.start(names);
  await world.publisher.drain({ totalMs: 120_000, eachMs: 60_000 });
  const seconds = (performance.now() - began) / 1000;
  assert.equal(world.of('pushed').length, 200);
  context.diagnostic(`${Math.round(200 / seconds)} pushes a second, ${Math.round(seconds * 10) / 10} s`);
});
