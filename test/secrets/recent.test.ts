import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecent } from '../../controller/secrets/recent.ts';

test('beyond the limit, what was used longest ago is forgotten', () => {
  const recent = createRecent<number>(3);
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) recent.set(name, index);
  assert.equal(recent.get('a'), undefined);
  assert.equal(recent.get('b'), 1);
  recent.set('e', 4);
  recent.set('d', 5);
  recent.set('f', 6);
  assert.deepEqual(
    ['b', 'c', 'd', 'e', 'f'].map((name) => recent.get(name)),
    [undefined, undefined, 5, 4, 6],
  );
});
