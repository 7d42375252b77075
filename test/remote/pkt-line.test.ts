import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FLUSH, LONGEST_LINE, PktLineReader, pktLine } from '../../controller/git/remote/pkt-line.ts';
import { readSideBand } from '../../controller/git/remote/side-band.ts';
import { startGitServer } from './git-server.ts';
import { failsWith, openRemote } from './remotes.ts';

test('lines are read as they were written, however the bytes are cut, and what follows them stays whole', async () => {
  const line = fc.oneof(
    fc.constant(null),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  );
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.uint8Array(), cuts, async (lines, rest, sizes) => {
      const bytes = Buffer.concat([...lines.map((one) => (one === null ? FLUSH : pktLine(one))), rest]);
      const reader = new PktLineReader(cut(bytes, sizes));
      for (const expected of lines) assert.deepEqual(await reader.read(), expected);
      const parts: Buffer[] = [];
      for await (const part of reader.rest()) parts.push(part);
      assert.deepEqual(Buffer.concat(parts), Buffer.from(rest));
    }),
  );
});

test('an end between lines is an end, an end inside one is an error', async () => {
  const whole = pktLine('content');
  for (let length = 0; length <= whole.length; length++) {
    const reader = new PktLineReader(cut(whole.subarray(0, length), [3]));
    if (length === 0) assert.equal(await reader.read(), undefined);
    else if (length === whole.length) assert.deepEqual(await reader.read(), Buffer.from('content'));
    else await assert.rejects(reader.read(), RangeError);
  }
});

test('what is no length is refused, and the longest line there can be is read', async () => {
  for (const text of ['0001', '0002', '0003', 'fff5', 'ffff', '-001', '+1  ', '0x10', 'PACK', '    ']) {
    await assert.rejects(new PktLineReader(cut(Buffer.from(`${text}${'x'.repeat(70_000)}`), [999])).read(), RangeError);
  }
  const longest = Buffer.alloc(LONGEST_LINE, 'x');
  assert.deepEqual(await new PktLineReader(cut(pktLine(longest), [10_000])).read(), longest);
});

test('a side band that ends without its flush is damaged, also where the connection was not cut', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  const data = (text: string) => pktLine(`\u0001${text}`);
  const progress = pktLine('\u0002counting\r');
  const said: string[] = [];
  const read = async (...parts: readonly Buffer[]): Promise<string> => {
    let text = '';
    const reader = new PktLineReader(cut(Buffer.concat(parts), [7]));
    for await (const part of readSideBand(remote, reader, (one) => said.push(one))) text += part.toString();
    return text;
  };
  assert.equal(await read(data('one '), progress, data('two'), pktLine('\u0001'), FLUSH), 'one two');
  assert.deepEqual(said, ['counting\r']);
  await failsWith(read(data('one '), data('two')), 'REMOTE_UNREACHABLE', 'transient');
  await failsWith(read(data('one '), FLUSH.subarray(0, 3)), 'REMOTE_UNREACHABLE', 'transient');
  await failsWith(read(pktLine('\u0004?'), FLUSH), 'REMOTE_UNREACHABLE', 'transient');
  await failsWith(read(data('one '), pktLine('\u0003access denied\n'), FLUSH), 'REMOTE_REFUSED', 'stalled');
  await failsWith(read(pktLine('\u0003fatal: write error: No space left on device')), 'REMOTE_REFUSED', 'transient');
});

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (sizes[i % sizes.length] as number);
    yield bytes.subarray(at, end);
    at = end;
  }
}
