import { once } from 'node:events';
import { createInflate, type Inflate } from 'node:zlib';
import type { ByteQueue } from './byte-queue.ts';

const PIECE = 64 * 1024;

/**
 * Inflates one zlib stream of a known size in pieces, and takes from the queue exactly what belongs to it. Throws a
 * RangeError when it ends early or holds more, zlib's error when it is none.
 */
export async function inflateStream(
  queue: ByteQueue,
  size: number,
  sinks: { readonly stored: (bytes: Buffer) => Promise<void>; readonly content: (bytes: Buffer) => void },
): Promise<void> {
  const inflate = createInflate();
  let length = 0;
  inflate.on('data', (bytes: Buffer) => {
    length += bytes.length;
    if (length > size) inflate.destroy(new RangeError('An entry has another size than its header says'));
    else sinks.content(bytes);
  });
  const ended = once(inflate, 'end');
  ended.catch(() => undefined);
  try {
    while (!inflate.readableEnded) {
      const piece = (await queue.fill(1)).subarray(0, PIECE);
      if (piece.length === 0) throw new RangeError('The bytes end inside an entry');
      const used = await feed(inflate, piece, ended);
      await sinks.stored(piece.subarray(0, used));
      queue.drop(used);
      if (used < piece.length) break;
    }
    inflate.end();
    await ended;
    if (length !== size) throw new RangeError('An entry has another size than its header says');
  } finally {
    inflate.destroy();
  }
}

/** How many bytes of a piece the stream took: fewer once it is at its end. */
async function feed(inflate: Inflate, piece: Buffer, ended: Promise<unknown>): Promise<number> {
  const before = inflate.bytesWritten;
  const taken = new Promise<void>((resolve, reject) => {
    inflate.write(piece, (error) => (error ? reject(error) : resolve()));
  });
  await Promise.race([taken, ended]);
  return inflate.bytesWritten - before;
}
