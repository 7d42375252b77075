import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { adler32 } from '../../controller/git/adler32.ts';
import { applyDelta, isDeltaOf } from '../../controller/git/apply-delta.ts';
import { createDelta } from '../../controller/git/delta.ts';

const piece = fc.constantFrom(
  'a',
  'b',
  'line of text\n',
  '"image": "registry/web:1"\n',
  'x'.repeat(300),
  '\0\0\0',
  'é',
);
const text = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join('')));

test('a delta makes exactly what it was made for', () => {
  fc.assert(
    fc.property(text, text, (base, target) => {
      const delta = createDelta(base, target, Number.POSITIVE_INFINITY);
      assert.ok(delta !== undefined);
      assert.deepEqual(applyDelta(base, delta), target);
      assert.ok(isDeltaOf(base, delta, target));
      assert.equal(isDeltaOf(base, delta, Buffer.concat([target, Buffer.from('x')])), false);
    }),
  );
});

test('a few changed ids in a large directory make a small delta, wherever they lie', () => {
  const base = Buffer.concat(
    Array.from({ length: 10_000 }, (_, i) => Buffer.concat([Buffer.from(`100644 web-${i}.json\0`), randomBytes(20)])),
  );
  const target = Buffer.concat([
    base.subarray(0, 1000),
    Buffer.from('100644 web-.json\0'),
    randomBytes(20),
    base.subarray(1000),
  ]);
  for (const at of [5000, 200_000, 300_000]) randomBytes(20).copy(target, at);
  const delta = createDelta(base, target, 1000);
  assert.ok(delta !== undefined && delta.length < 300, `${delta?.length} bytes`);
  assert.deepEqual(applyDelta(base, delta), target);
  assert.equal(createDelta(base, randomBytes(400_000), 200_000), undefined);
});

test('a delta that is cut or belongs to another base is refused', () => {
  const base = Buffer.from('one two three four five six seven eight nine ten eleven');
  const delta = createDelta(base, Buffer.concat([base, Buffer.from(' twelve'), base]), 1000) as Buffer;
  assert.throws(() => applyDelta(base.subarray(1), delta), RangeError);
  for (let length = 0; length < delta.length; length++)
    assert.throws(() => applyDelta(base, delta.subarray(0, length)), RangeError);
});

test('the checksum of stored trees is that of zlib', () => {
  for (const length of [0, 1, 5552, 5553, 300_000]) {
    const bytes = length === 5553 ? Buffer.alloc(length, 0xff) : randomBytes(length);
    assert.equal(
      adler32(bytes),
      deflateSync(bytes, { level: 0 }).readUInt32BE(deflateSync(bytes, { level: 0 }).length - 4),
    );
  }
});
