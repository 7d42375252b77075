import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesAnything, EVERYTHING, type Plan } from '../../../controller/core/restore/plan.ts';
import { planHash } from '../../../controller/core/restore/plan-hash.ts';
import { renderPlan, renderPlanMarkdown } from '../../../controller/core/restore/render-plan.ts';
import { ageWords, sizeWords, type VolumePlan } from '../../../controller/core/restore/volume-plan.ts';

const data = {
  ...{ snapshot: 'saved', driver: 'csi.example.com', handle: 'snap-1', snapshotClass: 'fast' },
  ...{ cutAt: '2026-11-21T12:00:00Z', ageMs: 840_000, grade: 'group: 2 claims, cut at one moment by the driver' },
};
const restored: VolumePlan = { claim: 'data', action: 'restore', reason: 'cut 14 min before this commit', data };
const kept: VolumePlan = { claim: 'logs', action: 'keep', reason: 'it lives, and its data is left as it is', data };

function planWith(volumes: readonly VolumePlan[]): Plan {
  const plan = {
    ...{ version: 1 as const, repository: 'shop', commit: 'a'.repeat(40), selection: EVERYTHING, steps: [], equal: 3 },
    target: { clusterId: 'one', namespace: 'shop', asUser: undefined },
    volumes,
  };
  return { ...plan, hash: planHash(plan) };
}

test('a plan shows each claim with its data, and the grade once', () => {
  const text = renderPlan(planWith([restored, kept]));
  assert.match(
    text,
    /\nvolumes: group: 2 claims, cut at one moment by the driver\n {2}restore {2}data {2}cut 14 min before this commit\n {2}keep {5}logs {2}it lives/,
  );
  assert.match(text, /: 3 objects are equal already, data of 1 claim comes back\n$/);
  assert.doesNotMatch(text, /snap-1/);
  assert.doesNotMatch(renderPlan(planWith([])), /volumes/);
});

test('the body of a pull request has them too, with nothing in them that Markdown or a forge takes for its own', () => {
  const odd = { ...restored, reason: 'failed: <b>@everyone</b> | no' };
  const text = renderPlanMarkdown(planWith([odd]));
  assert.match(text, /\| Data \| Claim \| Reason \|/);
  assert.match(text, /\| restore \| <code>data<\/code> \| failed: &#60;b&#62;&#64;&#8203;everyone/);
});

test('the hash of a plan is that of the data that comes back, not of words or of what is left as it is', () => {
  const plain = planWith([]).hash;
  assert.equal(planWith([kept]).hash, plain);
  assert.notEqual(planWith([restored]).hash, plain);
  assert.equal(planWith([{ ...restored, reason: 'other words' }]).hash, planWith([restored]).hash);
  assert.notEqual(planWith([{ ...restored, data: { ...data, handle: 'snap-2' } }]).hash, planWith([restored]).hash);
  const { volumes: _, ...old } = planWith([]);
  assert.equal(planHash(old), plain, 'plans of versions that knew no data keep their hash');
});

test('data alone is work', () => {
  assert.equal(changesAnything(planWith([kept])), false);
  assert.equal(changesAnything(planWith([{ ...kept, action: 'replace' }])), true);
});

test('ages and sizes are told as people say them', () => {
  assert.deepEqual([0, -9_000, 840_000, -120_000].map(ageWords), [
    'cut with this commit',
    'cut with this commit',
    'cut 14 min before this commit',
    'cut 2 min after this commit',
  ]);
  assert.deepEqual([64 * 2 ** 20, 1.5 * 2 ** 30, 100].map(sizeWords), ['64 MiB', '1.5 GiB', '100 bytes']);
});
