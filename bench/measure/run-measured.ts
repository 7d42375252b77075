import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { watchPeakMemory } from './peak-memory.ts';

/** What a command and everything that it started took. */
export interface Cost {
  readonly seconds: number;
  /** User and system, of the whole tree of processes. */
  readonly cpuSeconds: number;
  /** The most resident memory of any one process of the tree. */
  readonly peakBytes: number;
}

export interface MeasuredRun extends Cost {
  readonly code: number;
  readonly output: string;
}

/**
 * Runs a command to its end. Only one at a time: the processor time is read from the sum over all children that have ended.
 * Throws with what it said when it ends with a code that is not in `codes` ([0] when left out), or on abort.
 */
export async function runMeasured(
  command: readonly string[],
  options: {
    readonly signal: AbortSignal;
    readonly codes?: readonly number[];
    readonly environment?: NodeJS.ProcessEnv;
  },
): Promise<MeasuredRun> {
  const [program = '', ...args] = command;
  const cpuBefore = readEndedChildrenSeconds();
  const started = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    signal: options.signal,
  });
  const peak = watchPeakMemory(child.pid);
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  try {
    const [code, output, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    const seconds = (performance.now() - started) / 1000;
    if (!(options.codes ?? [0]).includes(code))
      throw new Error(`${program} ended with ${code}: ${complaint.slice(-2000)}`);
    return { code, output, seconds, cpuSeconds: readEndedChildrenSeconds() - cpuBefore, peakBytes: peak.stop() };
  } finally {
    peak.stop();
  }
}

/** Without what it said. */
export function costOf({ seconds, cpuSeconds, peakBytes }: Cost): Cost {
  return { seconds, cpuSeconds, peakBytes };
}

/** proc(5): cutime and cstime, in the hundredths of a second that Linux shows to users. */
function readEndedChildrenSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
