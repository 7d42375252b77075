import type { Connection } from './connect.ts';
import { splitLines } from './lines.ts';

/** The lines of one watch request. */
export interface EventStream {
  /** The lines of the next bytes; 'ended' when the server closed the stream, 'silent' when no byte came for that long. Throws KeeperError. */
  next(silenceMs: number): Promise<readonly string[] | 'ended' | 'silent'>;
  /** Ends the request; safe to call twice. */
  close(): Promise<void>;
  /** On the clock that was passed in. */
  readonly openedAt: number;
}

/** Throws KeeperError when the server refuses; aborting throws the signal's reason. `now` is monotonic, in milliseconds. */
export async function openEvents(
  connection: Connection,
  path: string,
  options: { readonly signal: AbortSignal; readonly headersTimeoutMs: number; readonly now: () => number },
): Promise<EventStream> {
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const { body } = await connection.stream(path, { signal, headersTimeoutMs: options.headersTimeoutMs });
  let timer: NodeJS.Timeout | undefined;
  const lines = splitLines(listen(body, () => timer?.refresh()));
  let isSilent = false;
  return {
    openedAt: options.now(),
    async next(silenceMs) {
      // Runs only while we wait: a slow consumer is not taken for a silent server.
      timer = setTimeout(() => {
        isSilent = true;
        ending.abort();
      }, silenceMs);
      try {
        const { done, value } = await lines.next();
        return done === true ? 'ended' : value;
      } catch (error) {
        if (isSilent) return 'silent';
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      ending.abort();
      await lines.return(undefined);
    },
  };
}

/** A long object may take its time: any byte is a sign of life, not only a whole line. */
async function* listen(chunks: AsyncIterable<Buffer>, hear: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hear();
    yield chunk;
  }
}
