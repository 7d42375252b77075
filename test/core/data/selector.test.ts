import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabelSelector } from '../../../controller/api/label-selector.ts';
import { compileLabelSelector, renderLabelSelector } from '../../../controller/core/data/selector.ts';

const gold = { app: 'web', tier: 'gold' };
const CASES: readonly (readonly [LabelSelector, string, boolean, boolean])[] = [
  [{}, '', true, true],
  [{ matchLabels: { app: 'web', tier: 'gold' } }, 'app=web,tier=gold', true, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold', 'x'] }] }, 'tier in (gold,x)', true, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['gold'] }] }, 'tier notin (gold)', false, true],
  [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, 'tier', true, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, '!tier', false, true],
  [{ matchLabels: { constructor: 'x' } }, 'constructor=x', false, false],
];

test('selectors of a spec choose as the API server does, and are written as it reads them', () => {
  for (const [selector, text, ofGold, ofNone] of CASES) {
    const fits = compileLabelSelector(selector);
    assert.deepEqual([fits(gold), fits({})], [ofGold, ofNone], text);
    assert.equal(renderLabelSelector(selector), text);
  }
});
