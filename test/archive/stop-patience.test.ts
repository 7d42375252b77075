import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StopPatience } from '../../controller/archive/stop-patience.ts';

const never = () => new Promise<string>(() => undefined);

test('an answer is waited for as long as nothing is to stop', async () => {
  const patience = new StopPatience(new AbortController().signal, 1);
  const answer = new Promise<string>((resolve) => setTimeout(resolve, 50, 'late'));
  assert.equal(await patience.within(() => answer), 'late');
});

test('what hangs is given up soon after the signal, and then nothing more is asked', async () => {
  const stop = new AbortController();
  const patience = new StopPatience(stop.signal, 20);
  const waiting = patience.within(never);
  stop.abort();
  // The timer that gives up keeps no process alive; this one does.
  const alive = setInterval(() => undefined, 1000);
  assert.equal(await waiting, undefined);
  clearInterval(alive);
  let asked = 0;
  assert.equal(await patience.within(async () => asked++), undefined);
  assert.equal(asked, 0);
});

test('an answer that comes in time after the signal still counts, and a failure stays one', async () => {
  const stop = new AbortController();
  stop.abort();
  const patience = new StopPatience(stop.signal, 10_000);
  assert.equal(await patience.within(async () => 'in time'), 'in time');
  await assert.rejects(
    patience.within(() => Promise.reject(new Error('no'))),
    /no/,
  );
});
