import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Candidate, decide, isLeading, learn, newCandidate, TIMINGS } from '../../controller/core/election.ts';
import type { LeaseRecord } from '../../controller/core/ports.ts';
import { type Belief, type Fate, type Happening, type Plan, play } from './election-world.ts';

const ms = (max: number) => fc.integer({ min: 0, max });
const fate: fc.Arbitrary<Fate> = fc.record({
  fate: fc.oneof(
    { weight: 6, arbitrary: fc.constant('answered' as const) },
    fc.constantFrom('request lost' as const, 'answer lost' as const, 'server error' as const),
  ),
  // Mostly quick; some come when their sender has long given up.
  requestMs: fc.oneof({ weight: 4, arbitrary: ms(50) }, ms(30_000)),
  answerMs: fc.oneof({ weight: 4, arbitrary: ms(50) }, ms(30_000)),
});
const happening: fc.Arbitrary<Happening> = fc.record({
  at: ms(120_000),
  who: ms(4),
  what: fc.constantFrom('pause' as const, 'pause' as const, 'crash' as const, 'stop' as const),
  ms: fc.oneof(ms(1_000), ms(40_000)),
});
const plan: fc.Arbitrary<Plan> = fc.record({
  candidates: fc.array(
    fc.record({ startMs: ms(20_000), clock: ms(1_000_000), speed: fc.double({ min: 0.9, max: 1.1, noNaN: true }) }),
    { minLength: 1, maxLength: 5 },
  ),
  fates: fc.array(fate, { minLength: 1, maxLength: 60 }),
  happenings: fc.array(happening, { maxLength: 20 }),
  // The last pause ends at 160 s, the last stray request arrives at 190 s, and a dead holder's Lease ends 17 s later.
  calmAt: fc.constant(160_000),
  endAt: fc.constant(260_000),
});
const describe = (belief: Belief) => JSON.stringify(belief);

test('whatever is late, lost, paused, crashed or stopped, never two believe at the same instant that they lead', () => {
  let terms = 0;
  fc.assert(
    fc.property(plan, (each) => {
      const beliefs = [...play(each)].sort((left, right) => left.from - right.from);
      terms += beliefs.length;
      beliefs.forEach((belief, index) => {
        for (const later of beliefs.slice(index + 1)) {
          const isApart = later.identity === belief.identity || later.from >= belief.to;
          assert.ok(isApart, `${describe(belief)} and ${describe(later)}`);
        }
      });
    }),
    { numRuns: 3000 },
  );
  assert.ok(terms > 6000, `the plans made only ${terms} terms`);
});

test('each leader has a higher epoch than all before it', () => {
  fc.assert(
    fc.property(plan, (each) => {
      const beliefs = [...play(each)].sort((left, right) => left.from - right.from);
      beliefs.slice(1).forEach((belief, index) => {
        const before = beliefs[index] as Belief;
        const isHigher =
          belief.identity === before.identity ? belief.epoch >= before.epoch : belief.epoch > before.epoch;
        assert.ok(isHigher, `${describe(before)} and ${describe(belief)}`);
      });
    }),
    { numRuns: 300 },
  );
});

test('once nothing goes wrong any more, one leads and goes on leading', () => {
  fc.assert(
    fc.property(plan, (each) => {
      const last = play(each).filter(({ to }) => to >= each.endAt);
      assert.equal(last.length, 1, 'nobody leads at the end');
      assert.ok((last[0] as Belief).from <= 215_000, `the last one leads only since ${last[0]?.from}`);
    }),
    { numRuns: 300 },
  );
});

const held = (holder: string, transitions: number, resourceVersion: string): LeaseRecord => ({
  holder,
  durationSeconds: 15,
  transitions,
  resourceVersion,
});
const readAt = (candidate: Candidate, at: number, record: LeaseRecord | undefined) =>
  learn(candidate, { type: 'read', record, at }, 0);

test('the first one makes the Lease, and leads for ten seconds from before it asked', () => {
  const looked = readAt(newCandidate('a'), 100, undefined);
  assert.deepEqual(decide(newCandidate('a'), 0), { do: 'read' });
  const claim = { do: 'write', next: { holder: 'a', durationSeconds: 15, transitions: 0 }, over: undefined };
  assert.deepEqual(decide(looked, 100), claim);
  const leader = learn(looked, { type: 'written', record: held('a', 0, '1'), sentAt: 100, at: 3000 }, 0);
  assert.deepEqual([isLeading(leader, 10_099), isLeading(leader, 10_100)], [true, false]);
  assert.deepEqual(decide(leader, 3000), { do: 'wait', ms: TIMINGS.retryMs });
  assert.deepEqual(decide(leader, 10_100), { do: 'yield' });
});

test('a record that stands still is left alone for its duration from when it was first seen so, however old it says it is', () => {
  const record = held('other', 4, '7');
  let candidate = readAt(newCandidate('a'), 1000, record);
  for (const at of [3000, 5000, 15_000]) candidate = readAt(candidate, at, record);
  assert.deepEqual(decide(candidate, 15_999), { do: 'wait', ms: 1 });
  assert.deepEqual(decide(candidate, 16_000), {
    do: 'write',
    next: { holder: 'a', durationSeconds: 15, transitions: 5 },
    over: record,
  });
  const renewed = readAt(candidate, 15_900, held('other', 4, '8'));
  assert.equal(decide(renewed, 30_899).do === 'write', false);
});

test('a Lease that was given back is taken at once', () => {
  const waiting = readAt(newCandidate('a'), 1000, held('other', 4, '7'));
  const move = decide(readAt(waiting, 2000, { ...held('', 4, '8'), durationSeconds: 1 }), 2000);
  assert.deepEqual(move.do === 'write' && move.next.transitions, 5);
});

test('who waits and sees the Lease removed gives its holder the rest of its time, and counts on', () => {
  const waiting = readAt(newCandidate('a'), 1000, held('other', 4, '7'));
  const removed = readAt(waiting, 3000, undefined);
  assert.notEqual(decide(removed, 15_999).do, 'write');
  const move = decide(removed, 16_000);
  assert.deepEqual(move.do === 'write' && [move.over, move.next.transitions], [undefined, 5]);
});

test('a leader whose renewal was refused looks, and ends when another holds the Lease', () => {
  const leader = learn(newCandidate('a'), { type: 'written', record: held('a', 3, '1'), sentAt: 0, at: 0 }, 0);
  const refused = learn(leader, { type: 'refused', at: 2000 }, 0);
  assert.deepEqual(decide(refused, 2000), { do: 'read' });
  assert.equal(isLeading(readAt(refused, 2010, held('b', 4, '2')), 2010), false);
  // Its own renewal whose answer was lost: renewed again at once, in the same term.
  const own = readAt(refused, 2010, held('a', 3, '2'));
  const move = decide(own, 2010);
  assert.deepEqual(move.do === 'write' && [move.over?.resourceVersion, move.next.transitions], ['2', 3]);
  assert.equal(isLeading(own, 9_999), true);
  assert.equal(isLeading(own, 10_000), false);
});

test('those who wait do not ask in step, and never less often than agreed', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
      const candidate = learn(newCandidate('a'), { type: 'read', record: held('b', 1, '1'), at: 0 }, random);
      const move = decide(candidate, 0);
      assert.ok(move.do === 'wait' && move.ms <= 2000 && move.ms >= 1000);
    }),
  );
});
