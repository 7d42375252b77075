import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitLines } from '../../controller/cluster/lines.ts';

test('lines are the same wherever the chunks end, also inside a character', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.replaceAll('\n', '\\n'))),
      fc.array(fc.integer({ min: 1, max: 9 })),
      async (lines, sizes) => {
        const wanted = lines.map((line) => Buffer.from(line).toString()).filter((line) => line !== '');
        assert.deepEqual(await read(cut(Buffer.from(lines.map((line) => `${line}\n`).join('')), sizes)), wanted);
      },
    ),
  );
});

test('a last line that was cut off is not a line', async () => {
  assert.deepEqual(await read(cut(Buffer.from('{"a":1}\n{"a":'), [3])), ['{"a":1}']);
});

test('a line of two megabytes in small chunks is read in a moment', async () => {
  const started = performance.now();
  const lines = await read(cut(Buffer.from(`${'x'.repeat(2_000_000)}\n`), [1000]));
  assert.equal(lines[0]?.length, 2_000_000);
  assert.ok(performance.now() - started < 2000);
});

async function read(chunks: AsyncIterable<Buffer>): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of splitLines(chunks)) lines.push(...batch);
  return lines;
}

/** The bytes in chunks of these sizes, again and again; without sizes in one. */
async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let start = 0, index = 0; start < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}
