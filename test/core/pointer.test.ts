import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../controller/core/object.ts';
import { parsePointer, pointerFault, renderPointer, setAt, valueAt } from '../../controller/core/pointer.ts';

test('a pointer with escaped slashes and tildes reads back as it was written', () => {
  assert.deepEqual(parsePointer('/metadata/annotations/a.io~1b~0c'), ['metadata', 'annotations', 'a.io/b~c']);
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (keys) =>
      assert.deepEqual(parsePointer(renderPointer(keys)), keys),
    ),
  );
});

test('the empty pointer is the whole document', () => {
  assert.deepEqual(valueAt({ a: 1 }, ''), { a: 1 });
});

test('a value is found in objects and arrays, and never on a prototype', () => {
  assert.equal(valueAt({ a: [{ b: 1 }] }, '/a/0/b'), 1);
  assert.equal(valueAt({ a: [] }, '/a/length'), undefined);
  assert.equal(valueAt({}, '/constructor'), undefined);
  assert.equal(valueAt({}, '/__proto__'), undefined);
});

test('setting replaces, adds and removes', () => {
  const root: Json = { a: { b: 1 }, c: ['x', 'y'] };
  setAt(root, '/a/b', 2);
  setAt(root, '/a/d', 3);
  setAt(root, '/c/0', undefined);
  assert.deepEqual(root, { a: { b: 2, d: 3 }, c: ['y'] });
});

test('setting below something that is not there changes nothing', () => {
  const root: Json = { a: 1 };
  for (const pointer of ['/b/c', '/a/b', '']) setAt(root, pointer, 2);
  assert.deepEqual(root, { a: 1 });
});

test('__proto__ set through a pointer is only a key', () => {
  const root: Json = {};
  setAt(root, '/__proto__', { polluted: true });
  assert.equal(JSON.stringify(root), '{"__proto__":{"polluted":true}}');
  assert.equal((root as Record<string, unknown>)['polluted'], undefined);
});

test('a wrong pointer is told together with the nearest valid one', () => {
  const cases: [string, string | undefined][] = [
    ['/spec/replicas', undefined],
    ['', undefined],
    ['spec/replicas', '/spec/replicas'],
    ['spec.replicas', '/spec/replicas'],
    ['$.spec.replicas', '/spec/replicas'],
    ['/metadata/annotations/a~b', '/metadata/annotations/a~0b'],
    ['/spec/', '/spec'],
  ];
  for (const [pointer, nearest] of cases) assert.equal(pointerFault(pointer)?.nearest, nearest, pointer);
});
