import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { difference } from '../../controller/core/diff.ts';
import type { Json } from '../../controller/core/object.ts';

test('equal documents do not differ', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(difference(value as Json, structuredClone(value) as Json), []);
    }),
  );
});

test('documents that differ are told apart', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, key) => {
      const before = JSON.parse(JSON.stringify(value)) as { [key: string]: Json };
      const after = { ...before, [`${key}!`]: `${JSON.stringify(before[`${key}!`])}, changed` };
      assert.notDeepEqual(difference(before, after), []);
    }),
  );
});

test('elements of a list are told by name, wherever they stand', () => {
  const before = {
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
  };
  const after = {
    env: [
      { name: 'B', value: '3' },
      { name: 'A', value: '1' },
    ],
  };
  const found = difference(before, after);
  assert.deepEqual(
    found.map(({ pointer, before: was, after: is }) => [pointer, was, is]),
    [['/env/[B]/value', '2', '3']],
  );
});

test('a list of plain values is one value', () => {
  assert.deepEqual(
    difference({ args: ['a', 'b'] }, { args: ['a', 'c'] }).map((change) => change.pointer),
    ['/args'],
  );
});
