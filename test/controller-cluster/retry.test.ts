import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs, pause, RETRY } from '../../controller/cluster/retry.ts';

test('waits are spread over the whole range and never longer than the cap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, random) => {
        const ms = backoffMs(attempt, () => random, RETRY);
        const bound = Math.min(RETRY.capMs, RETRY.baseMs * 2 ** (attempt - 1));
        assert.ok(ms >= 0 && ms <= bound);
        assert.equal(ms, random * bound);
      },
    ),
  );
});

test('a Retry-After is never undercut, also beyond the cap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 600_000 }), (attempt, asked) => {
      const ms = backoffMs(attempt, Math.random, RETRY, asked);
      assert.ok(ms >= asked && ms <= asked + RETRY.baseMs);
    }),
  );
});

test('an abort ends a wait with the reason of the signal', async () => {
  const reason = new Error('enough');
  const abort = new AbortController();
  const waiting = pause(60_000, abort.signal);
  abort.abort(reason);
  await assert.rejects(waiting, reason);
});
