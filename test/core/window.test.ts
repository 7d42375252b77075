import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueAt, touch } from '../../controller/core/window.ts';

const limits = { silenceMs: 5000, maximumMs: 30_000 };

test('a window closes five seconds after its last change', () => {
  const window = touch(touch(undefined, 1000), 3000);
  assert.deepEqual(window, { openedAt: 1000, lastChangeAt: 3000 });
  assert.equal(dueAt(window, limits), 8000);
});

test('a window that never falls silent closes at its maximum age', () => {
  let window = touch(undefined, 0);
  for (let now = 0; now <= 60_000; now += 1000) window = touch(window, now);
  assert.equal(dueAt(window, limits), 30_000);
});

test('a window without silence is due at once', () => {
  assert.equal(dueAt(touch(undefined, 7), { silenceMs: 0, maximumMs: 30_000 }), 7);
});
