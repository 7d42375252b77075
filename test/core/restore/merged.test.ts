import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideMerged, type MergedFacts } from '../../../controller/core/restore/merged.ts';
import { EVERYTHING } from '../../../controller/core/restore/plan.ts';

const [HEAD, MERGE, HASH] = ['1'.repeat(40), '3'.repeat(40), '2'.repeat(64)];

const GOOD: MergedFacts = {
  pull: { state: 'merged', base: 'main', head: HEAD, mergeCommit: MERGE },
  reviews: [{ by: 'bob', verdict: 'approved', commit: HEAD }],
  needsApproval: true,
  shownPlan: HASH,
  proposal: { restoreTo: '4'.repeat(40), plan: HASH, selection: EVERYTHING },
  merge: { outside: [], otherwise: [] },
  now: { hash: HASH, words: '1 to update', isOnBranch: true, moved: [] },
};

test('what was proposed, approved and merged as it was is planned again and then applied', () => {
  assert.equal(decideMerged({ ...GOOD, now: undefined }).type, 'plan');
  assert.deepEqual(decideMerged(GOOD), { type: 'apply', proposal: GOOD.proposal });
  assert.equal(decideMerged({ ...GOOD, shownPlan: undefined }).type, 'apply', 'a text without a plan says nothing');
  assert.equal(decideMerged({ ...GOOD, reviews: [], needsApproval: false }).type, 'apply');
  const more = [...GOOD.reviews, { by: 'ann', verdict: 'approved' as const, commit: '9'.repeat(40) }];
  assert.equal(decideMerged({ ...GOOD, reviews: more }).type, 'apply', 'one approval of what was merged is enough');
});

test('what is not merged is waited for, whatever else it is', () => {
  for (const state of ['open', 'closed'] as const) {
    assert.deepEqual(decideMerged({ ...GOOD, pull: { ...GOOD.pull, state }, proposal: undefined }), { type: 'wait' });
  }
});

const BAD: readonly (readonly [string, Partial<MergedFacts>, RegExp])[] = [
  ['another base', { pull: { ...GOOD.pull, base: 'next' } }, /merged into next/],
  ['a merge that main does not hold', { pull: { ...GOOD.pull, mergeCommit: undefined } }, /main does not hold/],
  ['a head that moved', { pull: { ...GOOD.pull, head: '9'.repeat(40) } }, /changed after bob had approved it/],
  ['an approval that counts not', { reviews: [] }, /nobody has approved it/],
  ['no words of ours', { proposal: undefined }, /none that kubekeeper proposed/],
  ['another text', { shownPlan: '0'.repeat(64) }, /names another plan/],
  ['more files', { merge: { outside: ['a', 'b', 'c', 'd\n'], otherwise: [] } }, /changed a, b, c and 1 more/],
  ['other files', { merge: { outside: [], otherwise: ['secrets/x.json'] } }, /after the merge secrets\/x.json is not/],
  ['a live state that moved', { now: { ...GOOD.now, hash: '0'.repeat(64) } as never }, /it is now 1 to update/],
  [
    'a file that moved',
    { now: { ...GOOD.now, moved: ['configmaps/app.json'] } as never },
    /configmaps\/app.json moved/,
  ],
  ['a branch that lies', { now: { ...GOOD.now, isOnBranch: false } as never }, /other files than its plan/],
];

for (const [what, change, words] of BAD) {
  test(`${what} is refused, with a reason on one line and what to do`, () => {
    const verdict = decideMerged({ ...GOOD, ...change });
    assert.ok(verdict.type === 'refuse');
    assert.match(verdict.reason, words);
    assert.match(verdict.reason, /; nothing was changed, propose it again$/);
    assert.doesNotMatch(verdict.reason, /\n/);
  });
}
