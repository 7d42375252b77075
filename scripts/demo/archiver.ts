import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

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
  readonly #last: string[] = [];
  #wake = Promise.withResolvers<void>();
  #isOver = false;

  /** `args` come after `kubekeeper`; every line of the log also goes to `logFile`. */
  constructor(args: readonly string[], logFile: string) {
    this.#child = spawn(process.execPath, ['bin/kubekeeper.js', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    const copy = createWriteStream(logFile);
    const reader = createInterface({ input: this.#child.stderr as NodeJS.ReadableStream });
    reader.on('line', (line) => {
      copy.write(`${line}\n`);
      this.#read(line);
    });
    this.#child.on('close', () => {
      this.#isOver = true;
      this.#rouse();
      copy.end(() => resolve());
    });
  }

  /** How many lines were seen so far: what is awaited from here on is news. */
  get position(): number {
    return this.#lines.length;
  }

  /** Every line from `position` on. */
  linesFrom(position: number): readonly LogLine[] {
    return this.#lines.slice(position);
  }

  /** The first line from `position` on that `matches`. Throws when none comes in time, or when kubekeeper ends. */
  async waitFor(
    what: string,
    matches: (line: LogLine) => boolean,
    options: { readonly position?: number; readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<LogLine> {
    const late = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
    for (;;) {
      const found = this.#lines.slice(options.position ?? 0).find(matches);
      if (found !== undefined) return found;
      options.signal.throwIfAborted();
      if (this.#isOver) throw new Error(`kubekeeper ended before ${what}: ${this.#last.join(' | ')}`);
      if (late.aborted) throw new Error(`${what} did not come within ${options.timeoutMs / 1000} s`);
      await Promise.race([this.#wake.promise, aborted(late)]);
    }
  }

  /** Asks it to end, waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.#child.kill('SIGTERM');
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await this.#ended;
    clearTimeout(impatience);
  }

  #read(line: string): void {
    this.#last.push(line);
    if (this.#last.length > 3) this.#last.shift();
    if (!line.startsWith('{')) return;
    this.#lines.push(JSON.parse(line) as LogLine);
    this.#rouse();
  }

  #rouse(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
