import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../controller/core/outcome.ts';
import { Vitals } from '../../controller/core/vitals.ts';
import { Health, isGood, renderChecks } from '../../controller/telemetry/health.ts';

function healthAfter(...outcomes: readonly Outcome[]) {
  const time = { ms: 0 };
  const vitals = new Vitals(() => time.ms);
  const stop = new AbortController();
  const health = new Health(vitals, stop.signal);
  for (const outcome of outcomes) health.observe(outcome);
  return { health, vitals, time, stop };
}

const synced: Outcome = { type: 'synced', resources: 1, objects: 1, skipped: 0 };
const standby: Outcome = { type: 'standby', leader: 'other' };
const leading: Outcome = { type: 'leading', identity: 'this', epoch: 2 };

test('it is ready once the first lists are complete', () => {
  assert.ok(!isGood(healthAfter().health.ready()));
  assert.ok(isGood(healthAfter(synced).health.ready()));
});

test('a replica that waits is ready to take over, and one that took over is when it has listed', () => {
  assert.ok(isGood(healthAfter(standby).health.ready()));
  assert.ok(!isGood(healthAfter(standby, leading).health.ready()));
  assert.ok(isGood(healthAfter(standby, leading, synced).health.ready()));
  assert.ok(!isGood(healthAfter(leading, synced, standby, leading).health.ready()));
});

test('it is not ready while a write that failed was not made good, and says which and why', () => {
  const failed: Outcome = { type: 'storage-failed', repository: 'shop', reason: 'no space is left', afterMs: 1 };
  const { health } = healthAfter(synced, failed);
  assert.equal(
    renderChecks('readyz', health.ready()),
    '[+]lists ok\n[-]storage failed: cannot write shop: no space is left\n[+]shutdown ok\nreadyz check failed\n',
  );
  assert.ok(isGood(health.live()));
  health.observe({ type: 'storage-recovered', repository: 'shop' });
  assert.ok(isGood(health.ready()));
});

test('it is not ready from the moment it is asked to stop, and lives on', () => {
  const { health, stop } = healthAfter(synced);
  stop.abort();
  assert.match(renderChecks('readyz', health.ready()), /^\[-\]shutdown failed: it was asked to stop$/m);
  assert.ok(isGood(health.live()));
});

test('a write that stands still for five minutes is not alive; one that moves, or ends, is', () => {
  const { health, vitals, time } = healthAfter();
  const commit = vitals.works.begin('commit of shop');
  time.ms = 299_000;
  assert.ok(isGood(health.live()));
  time.ms = 301_000;
  assert.equal(
    renderChecks('livez', health.live()),
    '[+]ping ok\n[-]writer failed: commit of shop has not moved for 301 s\nlivez check failed\n',
  );
  commit.step();
  assert.ok(isGood(health.live()));
  time.ms = 700_000;
  assert.ok(!isGood(health.live()));
  commit[Symbol.dispose]();
  assert.ok(isGood(health.live()));
});

test('the longest standstill counts, however much else moves', () => {
  const { health, vitals, time } = healthAfter();
  vitals.works.begin('consolidation of office');
  const other = vitals.works.begin('commit of shop');
  time.ms = 400_000;
  other.step();
  assert.match(renderChecks('livez', health.live()), /consolidation of office has not moved for 400 s/);
});
