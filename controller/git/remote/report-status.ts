import type { ObjectId } from '../object-id.ts';
import { damagedAnswer } from './errors.ts';
import { PktLineReader } from './pkt-line.ts';
import { readSideBand } from './side-band.ts';
import type { Remote } from './transport.ts';

/** One ref to move, create (`from` undefined) or delete (`to` undefined). */
export interface RefUpdate {
  /** The full name. */
  readonly ref: string;
  /** Where the remote has it. */
  readonly from: ObjectId | undefined;
  readonly to: ObjectId | undefined;
}

/** What the remote made of a push (gitprotocol-pack, "Report Status"). */
export interface PushReport {
  /** 'ok', or what became of the pack. */
  readonly unpack: string;
  /** By ref: undefined where it was moved, else why it was not. */
  readonly refs: ReadonlyMap<string, string | undefined>;
  /** What was told beside it, by hooks too: the last of it, unmasked. */
  readonly said: string;
}

const MOST_SAID = 4096;
const MOST_REFS = 100_000;

/** Throws REMOTE_REFUSED for an error band, REMOTE_UNREACHABLE when the report is not whole: then nobody knows what was taken. */
export async function readReport(
  remote: Remote,
  answer: AsyncIterable<Uint8Array>,
  hasSideBand: boolean,
): Promise<PushReport> {
  let said = '';
  const tell = (text: string) => {
    said = `${said}${text}`.slice(-MOST_SAID);
  };
  const outer = new PktLineReader(answer);
  const reader = hasSideBand ? new PktLineReader(readSideBand(remote, outer, tell)) : outer;
  try {
    const { unpack, refs } = await readLines(reader);
    return { unpack, refs, said };
  } catch (error) {
    throw error instanceof RangeError ? damagedAnswer(remote, error) : error;
  } finally {
    await reader.close();
  }
}

async function readLines(reader: PktLineReader): Promise<Omit<PushReport, 'said'>> {
  const refs = new Map<string, string | undefined>();
  let unpack: string | undefined;
  for (let line = await reader.read(); line !== null; line = await reader.read()) {
    if (line === undefined) throw new RangeError('its report ends in its middle');
    const [, word, rest = ''] = /^(unpack|ok|ng) (.*?)\n?$/s.exec(line.toString('utf8')) ?? [];
    if (word === 'unpack') unpack = rest;
    else if (word === 'ok') refs.set(rest, undefined);
    else if (word === 'ng') refs.set(rest.split(' ', 1)[0] as string, rest.slice(rest.indexOf(' ') + 1));
    else if (word === undefined) throw new RangeError('its report holds a line of another kind');
    if (refs.size > MOST_REFS) throw new RangeError('its report does not end');
  }
  // To the end, so that what is told after it is heard and the connection can be used again.
  while ((await reader.read()) !== undefined);
  if (unpack === undefined) throw new RangeError('its report says nothing of the pack');
  return { unpack, refs };
}
