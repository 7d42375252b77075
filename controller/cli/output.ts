import { EXIT, exitCodeOf, KeeperError } from '../errors.ts';

/** What people see: results on standard output, all else on standard error, one line each. */

export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function printNote(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Says what ended the verb and answers the exit code. A defect of ours shows its stack, so that it can be reported. */
export function reportFailure(error: unknown): number {
  if (error instanceof KeeperError && error.kind !== 'defect') printNote(`error: ${error.message}`);
  else if (isAbort(error)) return EXIT.interrupted;
  else
    printNote(
      `error: this is a defect of kubekeeper, please report it: ${error instanceof Error ? error.stack : error}`,
    );
  return exitCodeOf(error);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Rows as columns, two blanks between them; the last column is not padded. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  '),
    )
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A signal that Ctrl-C and a polite stop fire once; a second one ends the process at once. */
export function stopSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const abort = new AbortController();
  const stop = () => {
    if (abort.signal.aborted) process.exit(EXIT.interrupted);
    abort.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return { signal: abort.signal, dispose: () => void process.off('SIGINT', stop).off('SIGTERM', stop) };
}

/** A word of a command, as a shell takes it. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-][\w@%+=:,./~-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
