import { damagedAnswer, remoteFailed } from './errors.ts';
import type { PktLineReader } from './pkt-line.ts';
import type { Remote } from './transport.ts';

const DATA = 1;
const PROGRESS = 2;
const FATAL = 3;

/**
 * The data of a side band (gitprotocol-pack, "Packfile Data") up to its flush; what the server tells beside it goes to
 * `onText`, as it comes and unmasked. Throws REMOTE_REFUSED with the server's words when it ends in an error, and
 * REMOTE_UNREACHABLE when it ends without a flush: then something is missing.
 */
export async function* readSideBand(
  remote: Remote,
  reader: PktLineReader,
  onText: (text: string) => void = () => undefined,
): AsyncGenerator<Buffer> {
  try {
    for (let line = await reader.read(); line !== null; line = await reader.read()) {
      if (line === undefined) throw new RangeError('it ends in its middle');
      const content = line.subarray(1);
      if (line[0] === DATA) yield content;
      else if (line[0] === PROGRESS) onText(content.toString('utf8'));
      else if (line[0] === FATAL) throw remoteFailed(remote, content.toString('utf8'));
      else if (line.length > 0) throw new RangeError(`it holds a band ${line[0]}`);
    }
    // To the end, so that the connection can be used again.
    while ((await reader.read()) !== undefined);
  } catch (error) {
    throw error instanceof RangeError ? damagedAnswer(remote, error) : error;
  } finally {
    await reader.close();
  }
}
