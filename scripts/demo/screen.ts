/** What the demo says: short plain lines, coloured only on a terminal (https://no-color.org is honoured). */

const isColoured = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';

function paint(code: number, text: string): string {
  return isColoured ? `\u001b[${code}m${text}\u001b[0m` : text;
}

export const gitColour = isColoured ? '--color=always' : '--color=never';

export function printHeading(text: string): void {
  process.stdout.write(`\n${paint(1, text)}\n`);
}

/** A command, as a person would type it. */
export function printCommand(command: string): void {
  process.stdout.write(`${paint(36, `-> ${command}`)}\n`);
}

export function printResult(text: string): void {
  for (const line of text.split('\n')) process.stdout.write(`   ${line}\n`);
}

/** Unchanged, for output that brings its own colours and indentation. */
export function printRaw(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function printFailure(text: string): void {
  process.stderr.write(`${paint(31, 'not ok:')} ${text}\n`);
}

/** A command line that can be pasted into a shell. */
export function quoteCommand(parts: readonly string[]): string {
  return parts.map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`)).join(' ');
}
