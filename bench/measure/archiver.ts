import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { keeperCommand } from './keeper.ts';

/** A line of kubekeeper's log, with the time of its arrival here. */
export interface LogLine {
  readonly event: string;
  /** By `performance.now()`. */
  readonly at: number;
  readonly [fact: string]: unknown;
}

/** `kubekeeper archive` as a process of its own, whose log is read along. */
export class Archiver implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #signal: AbortSignal;
  readonly lines: LogLine[] = [];
  #unread: string[] = [];
  #wake = Promise.withResolvers<void>();
  #isOver = false;

  constructor(
    args: readonly string[],
    options: {
      readonly signal: AbortSignal;
      readonly nodeFlags?: readonly string[];
      readonly environment?: NodeJS.ProcessEnv;
    },
  ) {
    this.#signal = options.signal;
    const [program = '', ...rest] = keeperCommand(args, options.nodeFlags);
    const env = { ...process.env, ...options.environment };
    this.#child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    const reader = createInterface({ input: this.#child.stderr as NodeJS.ReadableStream });
    reader.on('line', (line) => this.#read(line));
    options.signal.addEventListener('abort', () => this.#rouse(), { once: true });
    this.#child.on('close', () => {
      this.#isOver = true;
      this.#rouse();
      resolve();
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the log as a whole satisfies. Throws when kubekeeper ends first, or after `timeoutMs`. */
  async until<Found>(
    what: string,
    find: (lines: readonly LogLine[]) => Found | undefined,
    timeoutMs: number,
  ): Promise<Found> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      this.#signal.throwIfAborted();
      const found = find(this.lines);
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`kubekeeper ended before ${what}: ${this.#unread.slice(-3).join(' | ')}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${what} did not come within ${timeoutMs / 1000} s`);
      await wakeOrTimeout(this.#wake.promise, left);
    }
  }

  /** Waits until every one of these repositories has had a commit. */
  async untilArchived(repositories: readonly string[], timeoutMs: number): Promise<void> {
    const committed = new Set<unknown>();
    let read = 0;
    await this.until(
      `the first commit of ${repositories.length} repositories`,
      (lines) => {
        for (; read < lines.length; read++)
          if (lines[read]?.event === 'committed') committed.add(lines[read]?.['repository']);
        return repositories.every((name) => committed.has(name)) ? true : undefined;
      },
      timeoutMs,
    );
  }

  /** Asks it to end and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.#child.kill('SIGTERM');
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
    await this.#ended;
    clearTimeout(impatience);
  }

  #read(line: string): void {
    const at = performance.now();
    if (line.startsWith('{')) this.lines.push({ ...(JSON.parse(line) as Omit<LogLine, 'at'> & { event: string }), at });
    else this.#unread.push(line);
    this.#rouse();
  }

  #rouse(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

async function wakeOrTimeout(wake: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([wake, promise]);
  clearTimeout(timer);
}
