import { damagedAnswer, remoteFailed } from './errors.ts';
import { PktLineReader } from './pkt-line.ts';
import { readSideBand } from './side-band.ts';
import type { Remote } from './transport.ts';

/**
 * The pack in an answer to `renderFetch`. Throws REMOTE_REFUSED with the server's words, REMOTE_UNREACHABLE when it ends
 * early; in mid-pack as well.
 */
export async function* readPack(
  remote: Remote,
  answer: AsyncIterable<Uint8Array>,
  hasSideBand: boolean,
): AsyncGenerator<Buffer> {
  const reader = new PktLineReader(answer);
  try {
    await skipAcknowledgements(remote, reader);
    yield* hasSideBand ? readSideBand(remote, reader) : reader.rest();
  } catch (error) {
    throw error instanceof RangeError ? damagedAnswer(remote, error) : error;
  } finally {
    await reader.close();
  }
}

/** Each common object is told of (`ACK ID common`); the last line, `ACK ID` or `NAK`, stands before the pack. */
async function skipAcknowledgements(remote: Remote, reader: PktLineReader): Promise<void> {
  for (;;) {
    const line = (await reader.read())?.toString('utf8').trimEnd();
    if (line === undefined) throw new RangeError('it ends before the pack');
    if (line.startsWith('ERR ')) throw remoteFailed(remote, line.slice(4));
    if (line === 'NAK' || /^ACK [0-9a-f]{40}$/.test(line)) return;
    if (!/^ACK [0-9a-f]{40} (?:common|ready|continue)$/.test(line)) throw new RangeError('it holds no acknowledgement');
  }
}
