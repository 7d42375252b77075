import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** On standard input, which is empty otherwise. */
  readonly input?: string;
}

/** Runs a program to its end and answers its output. Throws with what it said when it fails, and when `signal` aborts. */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  // Who does not read it closes it; the exit code says whether that was wrong.
  child.stdin.on('error', () => undefined).end(options.input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [code, output, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return output;
  throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${complaint.trim() || output.trim()}`);
}
