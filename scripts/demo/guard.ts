import { spawn } from 'node:child_process';

/** Runs a Node program until its own standard input closes: what a killed demo started ends with it. */

const IMPATIENT_MS = 10_000;

const child = spawn(process.execPath, process.argv.slice(2), { stdio: ['ignore', 'inherit', 'inherit'] });

function end(): void {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), IMPATIENT_MS).unref();
}

process.stdin.on('close', end).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
child.on('exit', (code) => process.exit(code ?? 1));
