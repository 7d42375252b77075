import { createHash } from 'node:crypto';
import { Breath } from '../breathe.ts';
import type { ObjectStore } from '../object-store.ts';
import { packHeader } from '../pack-format.ts';
import type { MissingObjects } from './missing-objects.ts';
import { inStoredOrder } from './stored-entries.ts';
import { ThinEntries } from './thin-entries.ts';

/** Small entries travel together. */
const CHUNK = 64 * 1024;

/**
 * The missing objects as one pack, a chunk at a time as the reader takes them. It is thin (gitformat-pack): deltas may rest
 * on what the remote has. What lies in our packs is copied as it lies there, in that order; commits, spills and
 * consolidations may go on meanwhile. Throws REPOSITORY_DAMAGED rather than to send damaged bytes.
 */
export async function* streamPack(
  store: ObjectStore,
  objects: MissingObjects,
  options: { readonly canUseOffsets: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const hash = createHash('sha1');
  const breath = new Breath();
  const header = packHeader(objects.missing.size);
  let parts: Buffer[] = [header];
  let pending = header.length;
  const entries = new ThinEntries(store, objects, options.canUseOffsets);
  const take = () => {
    const chunk = Buffer.concat(parts, pending);
    [parts, pending] = [[], 0];
    hash.update(chunk);
    return chunk;
  };
  for (const id of inStoredOrder(store, objects.missing.keys())) {
    for (const part of await entries.write(id)) {
      parts.push(part);
      pending += part.length;
    }
    if (pending >= CHUNK) yield take();
    await breath.take();
    options.signal.throwIfAborted();
  }
  const last = take();
  yield Buffer.concat([last, hash.digest()]);
}
