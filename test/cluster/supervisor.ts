import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Runs the processes of one control plane in a session of its own and ends them when its standard input closes: a test that is
 * killed leaves neither a process nor a folder. Commands come as JSON lines, each is answered by one.
 */

interface Plan {
  readonly directory: string;
  readonly processes: Readonly<Record<string, readonly string[]>>;
}

interface Command {
  readonly do: 'start' | 'stop' | 'end';
  readonly name: string;
}

const plan = JSON.parse(process.argv[2] ?? '') as Plan;
const running = new Map<string, ChildProcess>();

function start(name: string): void {
  const [command = '', ...args] = plan.processes[name] ?? [];
  const log = createWriteStream(join(plan.directory, `${name}.log`), { flags: 'a' });
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: plan.directory });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.on('exit', () => running.delete(name));
  running.set(name, child);
}

function stop(name: string): Promise<void> {
  const child = running.get(name);
  if (child === undefined) return Promise.resolve();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  return ended;
}

/** Killed, not asked: an API server waits long for an etcd that is gone, and nothing here is worth keeping. */
async function end(): Promise<never> {
  for (const name of [...running.keys()].reverse()) await stop(name);
  rmSync(plan.directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

async function obey(command: Command): Promise<void> {
  if (command.do === 'start') start(command.name);
  else if (command.do === 'stop') await stop(command.name);
  else await end();
  process.stdout.write(`${JSON.stringify(command)}\n`);
}

const lines = createInterface({ input: process.stdin });
let last = Promise.resolve();
lines.on('line', (line) => {
  last = last.then(() => obey(JSON.parse(line) as Command));
});
lines.on('close', () => void last.finally(end));
process.stdout.on('error', () => void end());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
