const NEWLINE = 0x0a;

/**
 * Splits bytes into lines, one batch per chunk; chunks may end anywhere, also inside a character (a newline byte is never part
 * of another one in UTF-8). Empty lines are left out. A rest without a newline is dropped: a stream that was cut there never
 * sent that line whole.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end === -1) {
      rest.push(chunk);
      continue;
    }
    const lines = linesOf(
      rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]),
    );
    rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    if (lines.length > 0) yield lines;
  }
}

function linesOf(bytes: Buffer): readonly string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    if (end > start) lines.push(bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return lines;
}
