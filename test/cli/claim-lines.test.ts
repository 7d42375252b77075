import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBytes, renderClaims } from '../../controller/cli/claim-lines.ts';

test('sizes are told with one unit, roughly', () => {
  const sizes = [undefined, 0, 1023, 1024, 1536, 64 * 2 ** 20, 1.26 * 2 ** 30, 2 ** 40, 4096 * 2 ** 40];
  assert.deepEqual(sizes.map(renderBytes), [
    '',
    '0 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '64 MiB',
    '1.3 GiB',
    '1 TiB',
    '4 PiB',
  ]);
});

test('a claim is a line: state, size, when it was cut, why not; what a driver says cannot break it', () => {
  const text = renderClaims([
    { name: 'data', state: 'ready', size: 1024, cutAt: '2026-11-22T12:00:01.250Z', why: 'at first' },
    { name: 'logs', state: 'failed', why: 'pool 7\n\u001b[31mis full' },
  ]);
  const [first, second, ...rest] = text.split('\n');
  assert.equal(first, '  data  ready   1 KiB  cut 2026-11-22 12:00:01Z');
  assert.match(second ?? '', /^ {2}logs {2}failed {9}pool 7.*is full$/);
  assert.deepEqual([rest, text.includes('\u001b')], [[], false]);
});
