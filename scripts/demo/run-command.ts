import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Runs a program to its end and answers its output. Throws with what it said when it fails, and when `signal` aborts. */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: { readonly environment?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [code, output, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return output;
  throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${complaint.trim() || output.trim()}`);
}
