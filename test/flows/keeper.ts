import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** kubekeeper as a user runs it: the real command line in a process of its own, judged by its output and by the real git. */

const ENTRY = join(import.meta.dirname, '../../bin/kubekeeper.js');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a verb to its end. */
export function keeper(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [ENTRY, ...args],
      { env: { ...process.env, ...env }, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

/** The report of `archive --once -o json`. */
export interface OnceReport {
  readonly resources: readonly {
    readonly resource: string;
    readonly objects: number;
    readonly changed: number;
    readonly held: number;
    readonly leftOut: readonly { readonly reason: string; readonly count: number }[];
  }[];
  readonly skipped: readonly { readonly resource: string; readonly reason: string; readonly code: string }[];
  readonly held: readonly { readonly repository: string; readonly deletions: number }[];
  readonly commits: readonly {
    readonly repository: string;
    readonly id: string;
    readonly subject: string;
    readonly objects: number;
  }[];
}

/** Archives once; the report is undefined when nothing was printed. */
export async function archiveOnce(
  kubeconfig: string,
  dataDirectory: string,
  ...args: readonly string[]
): Promise<Ended & { report: OnceReport }> {
  const ended = await keeper(['archive', '--once', '-o', 'json', ...connection(kubeconfig, dataDirectory), ...args]);
  if (ended.stdout === '') throw new Error(`kubekeeper archive --once printed no report: ${ended.stderr}`);
  return { ...ended, report: JSON.parse(ended.stdout) as OnceReport };
}

export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly [fact: string]: unknown;
}

/** A running archiver; disposing stops it politely and waits for its end. */
export interface Archiver extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: readonly LogLine[];
  /** All that it wrote, for canaries. */
  output(): string;
  /** The first line from `from` on that fits, now or within the time. */
  waitFor(
    what: string,
    fits: (line: LogLine) => boolean,
    options?: { timeoutMs?: number; from?: number },
  ): Promise<LogLine>;
  stop(signal?: NodeJS.Signals): Promise<number>;
}

/** Starts `kubekeeper archive` with short windows. */
export function startArchiver(kubeconfig: string, dataDirectory: string, ...args: readonly string[]): Archiver {
  const windows = args.includes('--window') ? [] : ['--window', '300ms', '--max-window', '5s'];
  const child = spawn(
    process.execPath,
    [ENTRY, 'archive', '--log-level', 'debug', ...windows, ...connection(kubeconfig, dataDirectory), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return follow(child);
}

/** Reads the log of any process that writes one as kubekeeper does. */
export function follow(child: ChildProcess): Archiver {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  let [output, rest] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk));
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk;
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('{')) lines.push(JSON.parse(part) as LogLine);
    for (const look of waiting) look();
  });
  const ended = new Promise<number>((resolve) => {
    child.on('exit', (code, signal) => {
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 1));
      for (const look of waiting) look();
    });
  });
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return ended;
  };
  return {
    child,
    lines,
    output: () => output,
    waitFor: (what, fits, { timeoutMs = 30_000, from = 0 } = {}) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.slice(from).find(fits);
          const gone = child.exitCode !== null || child.signalCode !== null;
          if (found === undefined && !gone) return;
          waiting.delete(look);
          clearTimeout(timer);
          if (found === undefined)
            reject(new Error(`kubekeeper ended while waiting for ${what}: ${output.slice(-2000)}`));
          else resolve(found);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`waited ${timeoutMs} ms for ${what}; log:\n${output.slice(-3000)}`));
        }, timeoutMs);
        waiting.add(look);
        look();
      }),
    stop,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) await stop();
    },
  };
}

function connection(kubeconfig: string, dataDirectory: string): readonly string[] {
  return ['--kubeconfig', kubeconfig, '--data-dir', dataDirectory];
}

/** A directory that goes when its holder does. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'kubekeeper-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The real git on the repository of a namespace; throws with what git said. */
export function git(dataDirectory: string, repository: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      'git',
      ['-C', join(dataDirectory, `${repository}.git`), ...args],
      { maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`git ${args.join(' ')}: ${stderr}`, { cause: error }));
      },
    );
  });
}

/** Subjects of `main`, newest first. */
export async function subjects(dataDirectory: string, repository: string): Promise<readonly string[]> {
  const text = await git(dataDirectory, repository, 'log', '--format=%s', 'main');
  return text.split('\n').filter((line) => line !== '');
}

/** Every path of `main`. */
export async function paths(dataDirectory: string, repository: string): Promise<readonly string[]> {
  const text = await git(dataDirectory, repository, 'ls-tree', '-r', '-z', '--name-only', 'main');
  return text.split('\0').filter((path) => path !== '');
}

/** One file of `main`. */
export function file(dataDirectory: string, repository: string, path: string): Promise<string> {
  return git(dataDirectory, repository, 'cat-file', 'blob', `main:${path}`);
}

/** Polls until the answer is truthy; for effects that no log line announces. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
