import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Runs the processes of one control plane in a session of its own and ends them when its standard input closes: a test
 * that is killed leaves neither a process nor a folder. It makes the folder itself, so that there is no moment in which
 * nobody would remove it. Commands come as JSON lines; each is answered by one, and so is each process that ends by itself.
 */

export interface SupervisorCommand {
  readonly id: number;
  /** `finally` is run at the end, when no process is left, and is ended itself after 10 s. */
  readonly do: 'start' | 'stop' | 'finally';
  readonly name: string;
  /** For `start` and `finally`: the program and its arguments. */
  readonly command?: readonly string[];
  readonly signal?: NodeJS.Signals;
}

export type SupervisorAnswer =
  | { readonly id: number; readonly pid?: number; readonly error?: string }
  | { readonly ended: string };

/** An API server that is asked to end waits for its requests, and for ever when its etcd is gone. */
const PATIENCE_MS = 10_000;

const [directory = '', ...otherFiles] = process.argv.slice(2);
const running = new Map<string, ChildProcess>();
let isEnding = false;
const last: (readonly string[])[] = [];

function start({ name, command: [program = '', ...args] = [] }: SupervisorCommand): Promise<number> {
  const log = openSync(join(directory, `${name}.log`), 'a', 0o600);
  const child = spawn(program, args, { stdio: ['ignore', log, log], cwd: directory });
  closeSync(log);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      running.set(name, child);
      resolve(child.pid ?? 0);
    });
    child.once('exit', () => {
      if (running.get(name) === child) running.delete(name);
      answer({ ended: name });
    });
  });
}

async function stop(name: string, signal: NodeJS.Signals): Promise<void> {
  const child = running.get(name);
  if (child === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await ended;
  clearTimeout(timer);
}

/** Killed, not asked: nothing here is worth keeping. Once, though the closed pipe may tell it many times. */
async function end(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await Promise.all([...running.keys()].map((name) => stop(name, 'SIGKILL')));
  for (const [program = '', ...args] of last) spawnSync(program, args, { stdio: 'ignore', timeout: PATIENCE_MS });
  for (const path of [directory, ...otherFiles]) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

async function obey(command: SupervisorCommand): Promise<void> {
  const { id, name } = command;
  try {
    if (command.do === 'start') answer({ id, pid: await start(command) });
    else {
      if (command.do === 'stop') await stop(name, command.signal ?? 'SIGKILL');
      else last.push(command.command ?? []);
      answer({ id });
    }
  } catch (error) {
    answer({ id, error: String(error) });
  }
}

function answer(line: SupervisorAnswer): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

mkdirSync(directory, { mode: 0o700 });
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => void obey(JSON.parse(line) as SupervisorCommand));
lines.on('close', () => void end());
process.stdout.on('error', () => void end());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
answer({ id: 0 });
