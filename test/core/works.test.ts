import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Works } from '../../controller/core/works.ts';

test('what has stood still the longest is told, as long as it is under way', () => {
  let now = 0;
  const works = new Works(() => now);
  assert.equal(works.standstill(), undefined);
  const first = works.begin('first');
  now = 10;
  const second = works.begin('second');
  now = 15;
  assert.deepEqual(works.standstill(), { what: 'first', ms: 15 });
  first.step();
  now = 20;
  assert.deepEqual(works.standstill(), { what: 'second', ms: 10 });
  second[Symbol.dispose]();
  assert.deepEqual(works.standstill(), { what: 'first', ms: 5 });
  first[Symbol.dispose]();
  assert.equal(works.standstill(), undefined);
});

test('two pieces of work with one name are two', () => {
  let now = 0;
  const works = new Works(() => now);
  const one = works.begin('commit of shop');
  now = 5;
  works.begin('commit of shop');
  one[Symbol.dispose]();
  assert.deepEqual(works.standstill(), { what: 'commit of shop', ms: 0 });
});
