import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteCache } from '../../controller/git/byte-cache.ts';

test('a cache gives back what was put last or nothing, and never holds more than it may', () => {
  const step = fc.record({
    do: fc.constantFrom('set', 'get', 'delete'),
    key: fc.nat(12),
    bytes: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cache = new ByteCache<{ bytes: number }>(100);
      const model = new Map<string, { bytes: number }>();
      for (const { do: what, key, bytes } of steps) {
        const name = `${key}`;
        if (what === 'set') {
          const value = { bytes };
          cache.set(name, value, bytes);
          model.set(name, value);
          assert.equal(cache.get(name), value);
        } else if (what === 'delete') {
          cache.delete(name);
          model.delete(name);
          assert.equal(cache.get(name), undefined);
        } else assert.ok([undefined, model.get(name)].includes(cache.get(name)));
      }
      const held = [...model].filter(([name, value]) => cache.get(name) === value);
      assert.ok(held.reduce((sum, [, { bytes }]) => sum + bytes, 0) <= 100 + 40);
    }),
  );
});

test('what is used again and again stays, however much passes by', () => {
  const cache = new ByteCache<number>(100);
  cache.set('often', 1, 10);
  for (let k = 0; k < 1000; k++) {
    cache.set(`once ${k}`, k, 10);
    assert.equal(cache.get('often'), 1);
  }
  assert.equal(cache.get('once 0'), undefined);
  cache.set('huge', 2, 1000);
  assert.equal(cache.get('huge'), 2);
});
