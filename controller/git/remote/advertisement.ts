import { damagedAnswer, remoteFailed } from './errors.ts';
import type { Service } from './git-http.ts';
import { PktLineReader } from './pkt-line.ts';
import type { Remote } from './transport.ts';

/**
 * Gathers a list of refs and checks that it is whole: announced, ended by a flush, with nothing behind it. isomorphic-git
 * takes a list that was cut for a shorter one, and a branch that is only missing there must never pass for deleted.
 * Throws REMOTE_UNREACHABLE for one that is damaged, REMOTE_REFUSED for an ERR line.
 */
export async function readWholeAdvertisement(
  remote: Remote,
  service: Service,
  body: AsyncIterable<Uint8Array>,
): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = [];
  const reader = new PktLineReader(keepParts(body, parts));
  try {
    const first = await reader.read();
    refuseError(remote, first);
    if (first?.toString('utf8').trimEnd() !== `# service=${service}`) throw new RangeError('it is not announced');
    if ((await reader.read()) !== null) throw new RangeError('its announcement does not end');
    for (let line = await reader.read(); line !== null; line = await reader.read()) {
      if (line === undefined) throw new RangeError('it ends in its middle');
      refuseError(remote, line);
    }
    if ((await reader.read()) !== undefined) throw new RangeError('something follows its end');
    return parts;
  } catch (error) {
    throw error instanceof RangeError ? damagedAnswer(remote, error) : error;
  } finally {
    await reader.close();
  }
}

async function* keepParts(body: AsyncIterable<Uint8Array>, parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    parts.push(part);
    yield part;
  }
}

function refuseError(remote: Remote, line: Buffer | null | undefined): void {
  const words = /^ERR (.*)/s.exec(line?.toString('utf8', 0, 4096) ?? '')?.[1];
  if (words !== undefined) throw remoteFailed(remote, words);
}
