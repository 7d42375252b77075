import type { ObjectId } from '../object-id.ts';
import { AGENT } from './agent.ts';
import { FLUSH, pktLine } from './pkt-line.ts';

/**
 * Asks for a pack (gitprotocol-pack, "Packfile Negotiation"; version 0, which every server speaks) in one request: wants,
 * haves and at once `done`. Thin packs are not asked for: what comes must be readable by itself.
 */
export async function* renderFetch(
  wants: Iterable<ObjectId>,
  haves: Iterable<ObjectId>,
  offered: ReadonlySet<string>,
): AsyncGenerator<Buffer> {
  const chosen = WANTED.filter((one) => offered.has(one));
  if ([...offered].some((one) => one.startsWith('agent='))) chosen.push(`agent=${AGENT}`);
  const capabilities = chosen.join(' ');
  const lines: Buffer[] = [];
  for (const id of wants) {
    lines.push(pktLine(lines.length === 0 ? `want ${id} ${capabilities}\n` : `want ${id}\n`));
  }
  lines.push(FLUSH);
  for (const id of haves) lines.push(pktLine(`have ${id}\n`));
  lines.push(pktLine('done\n'));
  yield Buffer.concat(lines);
}

const WANTED: readonly string[] = ['multi_ack_detailed', 'side-band-64k', 'ofs-delta', 'no-progress'];
