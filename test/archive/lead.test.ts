import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lead, type Term } from '../../controller/archive/lead.ts';

import type { ElectionTimings } from '../../controller/core/election.ts';
import type { Outcome } from '../../controller/core/outcome.ts';
import type { Clock, LeaseStore } from '../../controller/core/ports.ts';
import { KeeperError } from '../../controller/errors.ts';
import { FORBIDDEN, MemoryLease, UNREACHABLE } from './memory-lease.ts';

const TIMINGS: ElectionTimings = { leaseMs: 2000, renewMs: 1200, retryMs: 100 };
const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };
/** What a busy machine may add. */
const SLACK_MS = 500;
const DONE: Outcome = { type: 'resumed', repository: 'shop', reason: 'RemoteGone' };

interface Replica {
  readonly outcomes: Outcome[];
  readonly term: Promise<Term>;
  /** What it ended with. */
  readonly ended: Promise<unknown>;
  readonly retried: string[];
  stop(): void;
}

/** A replica whose run lasts until its signal, unless told otherwise. */
function start(
  store: LeaseStore,
  identity: string,
  options: { clock?: Clock; run?: (term: Term) => AsyncIterable<Outcome> } = {},
): Replica {
  const stop = new AbortController();
  const outcomes: Outcome[] = [];
  const retried: string[] = [];
  let became: (term: Term) => void = () => undefined;
  const term = new Promise<Term>((resolve) => {
    became = resolve;
  });
  async function* run(of: Term) {
    became(of);
    yield* (options.run ?? untilSignal)(of);
  }
  const { signal } = stop;
  const onRetry = (error: KeeperError) => void retried.push(error.message);
  const leading = lead(store, options.clock ?? systemClock, { identity, signal, timings: TIMINGS, onRetry }, run);
  const ended = (async () => {
    for await (const outcome of leading) outcomes.push(outcome);
  })().catch((error: unknown) => error);
  return { outcomes, term, ended, retried, stop: () => stop.abort() };
}

async function* untilSignal({ signal }: Term): AsyncGenerator<Outcome> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  yield DONE;
}

async function until(what: string, fits: () => boolean): Promise<void> {
  for (let ms = 0; !fits(); ms += 10) {
    assert.ok(ms < 5000, `waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const types = (replica: Replica) => replica.outcomes.map(({ type }) => type);

function assertLost(error: unknown, says: RegExp): KeeperError {
  assert.ok(error instanceof KeeperError, `ended with ${error}`);
  assert.deepEqual([error.kind, error.code], ['transient', 'LEADERSHIP_LOST']);
  assert.match(error.message, says);
  return error;
}

test('the only one leads at once, renews while it runs, and gives the Lease back when it is stopped', async () => {
  const lease = new MemoryLease();
  const only = start(lease.store(), 'a');
  const term = await only.term;
  assert.deepEqual(only.outcomes, [{ type: 'leading', identity: 'a', epoch: 0 }]);
  await until('renewals', () => lease.written.length > 8);
  assert.equal(term.isLeader(), true);
  only.stop();
  assert.equal(await only.ended, undefined);
  assert.deepEqual(types(only), ['leading', 'resumed']);
  assert.deepEqual(lease.record?.holder, '');
  assert.equal(term.isLeader(), false);
});

test('the other one says whom it waits for, once, and takes over at once when the Lease is given back', async () => {
  const lease = new MemoryLease();
  const [first, second] = [start(lease.store(), 'a'), start(lease.store(), 'b')];
  const [leader, standby] =
    (await Promise.race([first.term, second.term])).identity === 'a' ? [first, second] : [second, first];
  const waited = (await leader.term).identity;
  await until('several renewals', () => lease.written.length > 6);
  assert.deepEqual(standby.outcomes, [{ type: 'standby', leader: waited }]);
  leader.stop();
  await leader.ended;
  const released = performance.now();
  const { epoch } = await standby.term;
  assert.ok(performance.now() - released < TIMINGS.retryMs + SLACK_MS, 'waited longer than for its next look');
  assert.equal(epoch, 1);
  standby.stop();
  await standby.ended;
});

test('who crashes is followed after the duration of the Lease, and not before', async () => {
  const lease = new MemoryLease();
  lease.write({ holder: 'crashed', durationSeconds: 2, transitions: 4 }, undefined);
  const started = performance.now();
  const next = start(lease.store(), 'b');
  const { epoch } = await next.term;
  const ms = performance.now() - started;
  assert.ok(ms >= TIMINGS.leaseMs && ms < TIMINGS.leaseMs + SLACK_MS, `followed after ${ms} ms`);
  assert.equal(epoch, 5);
  next.stop();
  await next.ended;
});

test('a leader that cannot renew stops believing in time, its signal fires, and it ends with the reason', async () => {
  const lease = new MemoryLease();
  const store = lease.store();
  const replica = start(store, 'a');
  const term = await replica.term;
  store.failure = UNREACHABLE;
  const cut = performance.now();
  await new Promise((resolve) => term.signal.addEventListener('abort', resolve));
  assert.ok(performance.now() - cut < TIMINGS.renewMs + SLACK_MS);
  assert.equal(term.isLeader(), false);
  assert.throws(() => term.requireLead(), { code: 'LEADERSHIP_LOST' });
  const error = assertLost(
    await replica.ended,
    /could not be renewed for 1\.2 s \(Cannot reach the API server at memory\)/,
  );
  assert.equal(error.cause, UNREACHABLE);
  assert.equal(term.signal.reason, error);
  // The Lease is not touched any more: it runs out by itself.
  assert.equal(lease.record?.holder, 'a');
});

test('a renewal that is never answered does not outlast the belief', async () => {
  const store = new MemoryLease().store();
  const replica = start(store, 'a');
  const term = await replica.term;
  store.isMute = true;
  const cut = performance.now();
  assertLost(await replica.ended, /could not be renewed/);
  assert.ok(performance.now() - cut < TIMINGS.renewMs + SLACK_MS);
  assert.equal(term.isLeader(), false);
});

test('a process that slept knows that it does not lead before anything else of it could run', async () => {
  let slept = 0;
  const clock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() + slept };
  const lease = new MemoryLease();
  const replica = start(lease.store(), 'a', { clock });
  const term = await replica.term;
  assert.equal(term.isLeader(), true);
  slept = 20_000;
  assert.equal(term.isLeader(), false);
  assert.throws(() => term.requireLead(), { code: 'LEADERSHIP_LOST' });
  const writes = lease.written.length;
  assertLost(await replica.ended, /start it again to stand by/);
  assert.equal(lease.written.length, writes);
});

test('a leader that finds another one in the Lease ends at once and names it', async () => {
  const lease = new MemoryLease();
  const replica = start(lease.store(), 'a');
  await replica.term;
  lease.write({ holder: 'usurper', durationSeconds: 1, transitions: 9 }, lease.record);
  assertLost(await replica.ended, /"usurper" holds its Lease now/);
  assert.equal(lease.record?.holder, 'usurper');
});

test('whatever a run makes of the loss, it ends as a loss, with what failed as its cause', async () => {
  const store = new MemoryLease().store();
  const failure = new Error('the rename failed');
  const replica = start(store, 'a', {
    async *run(term) {
      yield* untilSignal(term);
      throw failure;
    },
  });
  await replica.term;
  store.failure = UNREACHABLE;
  assertLost(await replica.ended, /lost the lead/);
});

test('a run that fails while it leads gives the Lease back, and its failure is what counts', async () => {
  const lease = new MemoryLease();
  const failure = new KeeperError('The disk is full', { kind: 'stalled', code: 'DATA_DIRECTORY_UNUSABLE' });
  const replica = start(lease.store(), 'a', {
    // biome-ignore lint/correctness/useYield: it fails before it has anything to tell.
    async *run() {
      throw failure;
    },
  });
  assert.equal(await replica.ended, failure);
  assert.equal(lease.record?.holder, '');
});

test('a reader that stops reading gives the Lease back too', async () => {
  const lease = new MemoryLease();
  const { signal } = new AbortController();
  for await (const outcome of lead(
    lease.store(),
    systemClock,
    { identity: 'a', signal, timings: TIMINGS },
    untilSignal,
  )) {
    assert.equal(outcome.type, 'leading');
    break;
  }
  assert.equal(lease.record?.holder, '');
});

test('who waits is stopped quietly and at once, and has written nothing', async () => {
  const lease = new MemoryLease();
  lease.write({ holder: 'other', durationSeconds: 60, transitions: 0 }, undefined);
  const replica = start(lease.store(), 'b');
  await until('standby', () => types(replica).includes('standby'));
  const stopped = performance.now();
  replica.stop();
  assert.equal(await replica.ended, undefined);
  assert.ok(performance.now() - stopped < SLACK_MS);
  assert.equal(lease.written.length, 1);
});

test('who is stopped while its claim is on its way gives back what may have arrived', async () => {
  const lease = new MemoryLease();
  const store = lease.store();
  const write = store.write.bind(store);
  store.write = (next, seen, signal) => {
    store.isMute = next.holder !== '';
    return write(next, seen, signal);
  };
  const replica = start(store, 'a');
  await until('the claim', () => lease.record?.holder === 'a');
  store.isMute = false;
  replica.stop();
  assert.equal(await replica.ended, undefined);
  assert.deepEqual(types(replica), []);
  assert.equal(lease.record?.holder, '');
});

test('a missing right ends the waiting with its own words; one taken away from a leader is told as why it was lost', async () => {
  const lease = new MemoryLease();
  const store = lease.store();
  store.failure = FORBIDDEN;
  assert.equal(await start(store, 'a').ended, FORBIDDEN);
  store.failure = undefined;
  const leader = start(store, 'a');
  await leader.term;
  store.failure = FORBIDDEN;
  assertLost(await leader.ended, /Not permitted to update the Lease/);
  assert.ok(leader.retried.length >= 3, 'a right may come back');
});

test('failures of the network are waited out, and told', async () => {
  const store = new MemoryLease().store();
  store.failure = UNREACHABLE;
  const replica = start(store, 'a');
  await until('several tries', () => replica.retried.length >= 3);
  store.failure = undefined;
  await replica.term;
  // A short one while it leads is no loss.
  store.failure = UNREACHABLE;
  await new Promise((resolve) => setTimeout(resolve, TIMINGS.renewMs / 2));
  store.failure = undefined;
  await new Promise((resolve) => setTimeout(resolve, TIMINGS.renewMs));
  assert.equal((await replica.term).isLeader(), true);
  replica.stop();
  assert.equal(await replica.ended, undefined);
});

test('a Lease that cannot be given back does not spoil a clean stop, and is told', async () => {
  const store = new MemoryLease().store();
  const replica = start(store, 'a');
  await replica.term;
  store.failure = UNREACHABLE;
  replica.stop();
  assert.equal(await replica.ended, undefined);
  assert.ok(replica.retried.length >= 1);
});

test('of five replicas whose leader loses the server again and again, never two may write at the same moment', async () => {
  const lease = new MemoryLease();
  const rounds = 3;
  let written = 0;
  let last = -1;
  for (let round = 0; round < rounds; round++) {
    const stores = Array.from({ length: 5 }, () => lease.store());
    const replicas = stores.map((store, index) => start(store, `${round}-${index}`));
    const terms: Term[] = [];
    for (const replica of replicas) void replica.term.then((term) => terms.push(term));
    const ends = performance.now() + 2 * TIMINGS.leaseMs;
    let cut = false;
    while (performance.now() < ends) {
      const leaders = terms.filter((term) => term.isLeader());
      assert.ok(leaders.length <= 1, leaders.map(({ identity }) => identity).join(' and '));
      const [leader] = leaders;
      if (leader !== undefined) {
        assert.ok(leader.epoch >= last, 'an epoch went back');
        last = leader.epoch;
        written++;
      }
      if (!cut && leader !== undefined && performance.now() > ends - 1.8 * TIMINGS.leaseMs) {
        const index = Number(leader.identity.split('-')[1]);
        (stores[index] as { failure?: Error }).failure = UNREACHABLE;
        cut = true;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const replica of replicas) replica.stop();
    await Promise.all(replicas.map(({ ended }) => ended));
  }
  assert.ok(written > rounds * 50, `only ${written} moments with a leader`);
});
