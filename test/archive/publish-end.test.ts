import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedWorld } from './publish-world.ts';
import { failure, unreachable } from './scripted-remotes.ts';

/** The end of a run: what waits is pushed as far as it goes, and nobody is waited for in vain. */

const MINUTE = 60_000;
const SINGLE_RUN = { totalMs: 10 * MINUTE, eachMs: MINUTE };
const STOPPED = { totalMs: 22_000, eachMs: 0 };

/** 20 repositories with a commit each; all but `healthy` ones meet the fault. */
async function waiting(fault: ReturnType<typeof unreachable> | 'hang', healthy: readonly string[] = []) {
  const { time, remotes, world } = scriptedWorld({ random: () => 0.5 });
  const names = Array.from({ length: 20 }, (_, index) => `ns-${index}`);
  for (const name of names) remotes.create(name);
  remotes.fault = (name) => (healthy.includes(name) ? undefined : fault);
  for (const name of names) await world.commit(name);
  return { time, remotes, world, names };
}

async function drained(given: Awaited<ReturnType<typeof waiting>>, effort: typeof STOPPED): Promise<number> {
  let isDone = false;
  const done = given.world.publisher.drain(effort).then(() => {
    isDone = true;
  });
  const ms = await given.time.advanceUntil('the end', () => isDone, 20 * MINUTE);
  await done;
  return ms;
}

test('with a healthy remote everything is pushed, and that is the end', async () => {
  const given = await waiting(
    'hang',
    Array.from({ length: 20 }, (_, index) => `ns-${index}`),
  );
  await using _world = given.world;
  given.world.publisher.start(given.names);
  assert.equal(await drained(given, SINGLE_RUN), 0);
  assert.equal(given.world.of('pushed').length, 20);
  assert.deepEqual(given.world.of('unpushed'), []);
});

test('a stopped run gives a server that refuses connections one try and ends; what is left is told', async () => {
  const given = await waiting(unreachable());
  await using _world = given.world;
  given.world.publisher.start(given.names);
  await given.time.advance(10 * MINUTE);
  const before = given.remotes.looks.get('ns-0');
  const ms = await drained(given, STOPPED);
  assert.ok(ms < 1000, `${ms} ms`);
  assert.ok((given.remotes.looks.get('ns-0') ?? 0) - (before ?? 0) <= 1);
  assert.deepEqual(given.world.of('unpushed').at(-1)?.repositories, 20);
});

test('a stopped run does not wait for a remote that hangs longer than it has', async () => {
  const given = await waiting('hang', ['ns-7']);
  await using _world = given.world;
  given.world.publisher.start(given.names);
  const ms = await drained(given, STOPPED);
  assert.ok(ms <= 22_000, `${ms} ms`);
  assert.deepEqual(
    given.world.of('pushed').map(({ repository }) => repository),
    ['ns-7'],
  );
  assert.equal(given.world.of('unpushed').at(-1)?.repositories, 19);
  await given.world.publisher[Symbol.asyncDispose]();
  assert.equal(given.remotes.running, 0, 'what hung was cut');
});

test('a stopped run pushes what it was backing off from, when the server is back', async () => {
  const given = await waiting(unreachable());
  await using _world = given.world;
  given.world.publisher.start(given.names);
  await given.time.advance(60 * MINUTE);
  given.remotes.fault = () => undefined;
  const ms = await drained(given, STOPPED);
  assert.ok(ms < 1000, `${ms} ms`);
  assert.equal(given.world.of('pushed').length, 20);
});

test('a single run tries a remote that is away for a minute, and ends', async () => {
  const given = await waiting(unreachable());
  await using _world = given.world;
  given.world.publisher.start(given.names);
  const ms = await drained(given, SINGLE_RUN);
  assert.ok(ms >= MINUTE && ms <= 2 * MINUTE, `${ms} ms`);
  assert.equal(given.world.of('unpushed').at(-1)?.repositories, 20);
});

test('a single run meets a remote that comes back within the minute', async () => {
  const given = await waiting(unreachable());
  await using _world = given.world;
  given.world.publisher.start(given.names);
  given.time.start(30_000, () => {
    given.remotes.fault = () => undefined;
  });
  const ms = await drained(given, SINGLE_RUN);
  assert.ok(ms <= MINUTE, `${ms} ms`);
  assert.equal(given.world.of('pushed').length, 20);
});

test('a single run does not wait for a person', async () => {
  const given = await waiting(failure('REMOTE_REFUSED', 'stalled', 'a hook says no'), ['ns-3']);
  await using _world = given.world;
  given.world.publisher.start(given.names);
  assert.equal(await drained(given, SINGLE_RUN), 0);
  assert.equal(given.world.of('stalled').length, 19);
  assert.equal(given.world.of('pushed').length, 1);
});

test('an interrupted single run ends at once', async () => {
  const given = await waiting('hang');
  await using _world = given.world;
  given.world.publisher.start(given.names);
  const stop = new AbortController();
  const done = given.world.publisher.drain(SINGLE_RUN, stop.signal);
  stop.abort();
  await done;
  assert.equal(given.world.of('unpushed').length, 1);
});
