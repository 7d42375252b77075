import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A line of kubekeeper's log. */
export interface LogLine {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** `kubekeeper archive` as a child process whose log is read along. */
export class Archiver {
  readonly #child: ChildProcess;
  readonly #lines: LogLine[] = [];
  readonly #ended: Promise<void>;
  #lastLine = '';
  #isOver = false;
  #wake = Promise.withResolvers<void>();

  /** `args` come after `kubekeeper`; the log also goes to `logFile`. */
  constructor(args: readonly string[], logFile: string) {
    const program = [fileURLToPath(import.meta.resolve('./guard.ts')), 'bin/kubekeeper.js', ...args];
    // A session of its own: Ctrl-C reaches the demo alone, which then ends this in good order.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KUBEKEEPER_')));
    this.#child = spawn(process.execPath, program, { stdio: ['pipe', 'ignore', 'pipe'], detached: true, env });
    const copy = createWriteStream(logFile);
    createInterface({ input: this.#child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      copy.write(`${line}\n`);
      this.#read(line);
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject).on('close', () => {
        this.#isOver = true;
        this.#rouse();
        copy.end(() => resolve());
      });
    });
  }

  /** How many lines were read so far: what comes from here on is news. */
  get position(): number {
    return this.#lines.length;
  }

  /**
   * The first line from `position` on that `matches`, and the position behind it. Rejects when none comes in time, when kubekeeper
   * ends, and with the signal's reason.
   */
  async waitFor(
    what: string,
    matches: (line: LogLine) => boolean,
    options: { readonly position: number; readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<{ line: LogLine; next: number }> {
    const late = AbortSignal.timeout(options.timeoutMs);
    for (let index = options.position; ; ) {
      for (; index < this.#lines.length; index++) {
        const line = this.#lines[index] as LogLine;
        if (matches(line)) return { line, next: index + 1 };
      }
      options.signal.throwIfAborted();
      if (this.#isOver) throw new Error(`kubekeeper ended before ${what}: ${this.#lastLine}`);
      if (late.aborted) throw new Error(`${what} did not come within ${options.timeoutMs / 1000} s`);
      await Promise.race([this.#wake.promise, untilAborted(AbortSignal.any([options.signal, late]))]);
    }
  }

  /** Asks it to end and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }

  #read(line: string): void {
    this.#lastLine = line;
    // What is no JSON is a crash or a refusal: it is told when kubekeeper ends.
    if (!line.startsWith('{')) return;
    this.#lines.push(JSON.parse(line) as LogLine);
    this.#rouse();
  }

  #rouse(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
