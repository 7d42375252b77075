import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lines } from '../../controller/cli/lines.ts';

test('the first line of a long result goes out at once, what follows in quick succession in one piece, and nothing is kept back', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const written: string[] = [];
  const write = t.mock.method(process.stdout, 'write', (text: string) => written.push(text) > 0);
  let cleared = 0;
  const lines = new Lines(() => {
    cleared += 1;
  });
  for (const line of ['a', 'b', 'c']) lines.write(`${line}\n`);
  const first = [...written];
  t.mock.timers.tick(50);
  const later = [...written];
  lines.write('d\n');
  lines.write('x'.repeat(65 * 1024));
  const large = [...written];
  lines.write('e\n');
  lines.end();
  lines.end();
  write.mock.restore();
  assert.deepEqual(first, ['a\n']);
  assert.deepEqual(later, ['a\n', 'b\nc\n']);
  assert.deepEqual(large.slice(2, 3), ['d\n']);
  assert.equal(large.length, 4, 'what is large does not wait');
  assert.deepEqual(written.slice(4), ['e\n']);
  assert.equal(cleared, written.length);
});
